"""The client's errors become the exceptions that Airflow users catch, in one place."""

import copy
import pickle

import pytest
from airflow.providers.common.compat.sdk import AirflowException

import airflow_dbt_cloud
from airflow_dbt_cloud import exceptions
from dbtcloud.client import errors
from made_errors import exceptions_of, made

ERRORS = pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.LookupFailed("job", "Nightly", 2), exceptions.DbtCloudResourceLookupError),
        (errors.RunFailed(7, 20), exceptions.DbtCloudJobRunException),
        (errors.RunCancelled(7, 30), exceptions.DbtCloudJobRunException),
        (errors.RunTimedOut(7, 3, 60), exceptions.DbtCloudJobRunException),
        (errors.ServerError(500, "GET", "/"), exceptions.DbtCloudApiException),
        (errors.MalformedResponse("HTML"), exceptions.DbtCloudApiException),
        (errors.TransportError("reset", sent=True), exceptions.DbtCloudApiException),
        (errors.AmbiguousStart("[af:x]"), exceptions.DbtCloudApiException),
        (errors.InvalidArgument("x"), exceptions.DbtCloudApiException),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)


@ERRORS
def test_each_error_has_its_exception_with_the_same_words(error, kind):
    raised = exceptions.airflow_exception(error)
    assert type(raised) is kind
    assert isinstance(raised, AirflowException)
    assert str(raised) == str(error)


@ERRORS
def test_each_exception_carries_the_clients_error(error, kind):
    assert exceptions.airflow_exception(error).error is error


@ERRORS
@pytest.mark.parametrize(
    "again", [lambda each: pickle.loads(pickle.dumps(each)), copy.copy], ids=["pickle", "copy"]
)
def test_each_exception_keeps_its_words_and_its_error_through_pickle_and_copy(error, kind, again):
    raised = again(exceptions.airflow_exception(error))
    assert (type(raised), str(raised)) == (kind, str(error))
    assert (type(raised.error), str(raised.error)) == (type(error), str(error))
    assert vars(raised.error) == vars(error)


def test_an_exception_with_a_message_of_its_own_keeps_it_through_pickle():
    made = exceptions.DbtCloudJobRunException("Too late.", error=errors.RunTimedOut(7, 3, 60))
    raised = pickle.loads(pickle.dumps(made))
    assert (str(raised), raised.error.run_id) == ("Too late.", 7)


@pytest.mark.parametrize("kind", [exceptions.DbtCloudApiException, exceptions.DbtCloudJobRunException])
def test_an_exception_of_ones_own_making_needs_no_error(kind):
    assert (str(kind()), kind().error) == ("", None)
    assert str(kind("As it is.")) == "As it is."


def test_not_being_able_to_look_is_never_a_failed_run():
    for error in (errors.ServerError(500, "GET", "/"), errors.TransportError("x", sent=True)):
        assert not isinstance(exceptions.airflow_exception(error), exceptions.DbtCloudJobRunException)


@pytest.mark.parametrize("again", [lambda each: pickle.loads(pickle.dumps(each)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", exceptions_of(airflow_dbt_cloud))
def test_every_exception_keeps_type_text_and_attributes(kind, again):
    error = made(kind)
    copied = again(error)
    assert (type(copied), str(copied), copied.args) == (kind, str(error), error.args)
    assert vars(copied) == vars(error)


@pytest.mark.parametrize("kind", exceptions_of(airflow_dbt_cloud))
def test_a_message_has_an_upper_bound_and_keeps_its_beginning_and_end(kind):
    message = str(kind("It broke. " + "x" * 1_000_000 + " See there."))
    assert len(message) <= 10_000
    assert message.startswith("It broke.")
    assert message.endswith("See there.")

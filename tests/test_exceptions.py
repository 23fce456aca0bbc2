"""The client's errors become the exceptions that Airflow users catch, in one place."""

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud import exceptions
from dbtcloud.client import errors


@pytest.mark.parametrize(
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
def test_each_error_has_its_exception_with_the_same_words(error, kind):
    raised = exceptions.airflow_exception(error)
    assert type(raised) is kind
    assert isinstance(raised, AirflowException)
    assert str(raised) == str(error)


def test_an_api_exception_carries_the_facts():
    error = errors.NotFound(404, "GET", "/x", user_message="Gone.")
    assert exceptions.airflow_exception(error).error is error


def test_not_being_able_to_look_is_never_a_failed_run():
    for error in (errors.ServerError(500, "GET", "/"), errors.TransportError("x", sent=True)):
        assert not isinstance(exceptions.airflow_exception(error), exceptions.DbtCloudJobRunException)

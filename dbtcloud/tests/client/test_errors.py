"""One tree of exceptions, each with its facts and a message in three parts."""

import inspect
import re

import pytest

from dbtcloud.client import errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_the_tree_at_the_top_of_the_file_is_the_tree():
    drawn = set(re.findall(r"[─] (\w+)", errors.__doc__)) | {"DbtCloudError"}
    assert drawn == {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_a_message_has_an_upper_bound_and_keeps_the_reason(size):
    error = errors.BadRequest(
        400, "GET", f"/{'x' * size}", user_message="It rains. " + "y" * size, data={"why": "z" * size + "End"}
    )
    assert len(str(error)) <= 10_000
    assert str(error).startswith("dbt Cloud answered 400 to GET /xxx")
    assert "It said: It rains." in str(error)
    assert "End'}. Correct the parameter" in str(error)
    missing = errors.ArtifactMissing(7, "a" * size, ["b" * size] * 10, why="It was cancelled")
    assert len(str(missing)) <= 10_000
    assert "It was cancelled" in str(missing)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_of_ours(kind):
    assert issubclass(kind, errors.DbtCloudError)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("It broke", "It rains", "Wait"), "It broke. It rains. Wait."),
        (("It broke.", None, "Wait."), "It broke. Wait."),
        (("It broke", "  ", ""), "It broke."),
    ],
)
def test_a_message_says_what_happened_why_and_what_to_do(parts, message):
    what, why, fix = parts
    assert str(errors.DbtCloudError(what, why=why, fix=fix)) == message


def test_what_may_pass_is_marked():
    retryable = {kind.__name__ for kind in KINDS if kind.retryable}
    answers = {"RateLimited", "RequestTimeout", "ServerError"}
    assert retryable == {*answers, "MalformedResponse", "TransportError"}


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "Found 0 jobs named 'x' here. The whole name must match"),
        (2, "Found 2 jobs named 'x' here. Only one may have the name. Give the job's id"),
    ],
)
def test_a_name_of_none_or_of_several_things_is_told(count, said):
    error = errors.LookupFailed("job", "x", count, where=" here")
    assert str(error).startswith(said)
    assert "id" in error.fix


def test_an_unclear_start_names_its_mark_and_what_to_do():
    error = errors.AmbiguousStart("x.0.1.y", why="It rains")
    assert error.marker == "x.0.1.y"
    assert "the request was not sent again. It rains. Search the job's runs" in str(error)
    assert "for one whose cause contains 'x.0.1.y'." in str(error)
    assert "clear the task" in str(error)


def test_an_unclear_retry_names_the_run_that_it_retries():
    error = errors.AmbiguousStart("", retried_run_id=5)
    assert "for one that retries run 5." in str(error)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, errors.ApiError)])
def test_each_error_status_says_what_to_do(kind):
    assert kind.hint


def test_a_timeout_without_a_poll_that_succeeded_says_so():
    assert "No poll succeeded" in str(errors.RunTimedOut(7, 0, 60))
    assert "The last poll found it queued" in str(errors.RunTimedOut(7, 1, 60))
    assert "The last poll found it starting" in str(errors.RunTimedOut(7, 2, 60))


def test_an_invalid_argument_is_a_value_error_too():
    assert issubclass(errors.InvalidArgument, ValueError)

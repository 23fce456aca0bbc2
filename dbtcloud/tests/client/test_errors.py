"""One tree of exceptions, each with its facts and a message in three parts."""

import inspect
import re

import pytest

from dbtcloud.client import errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_the_tree_at_the_top_of_the_file_is_the_tree():
    drawn = set(re.findall(r"[─] (\w+)", errors.__doc__)) | {"DbtCloudError"}
    assert drawn == {kind.__name__ for kind in KINDS}


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
        (0, "Found no job named 'x' here. The whole name must match"),
        (2, "Found 2 jobs named 'x' here. The whole name must match"),
    ],
)
def test_a_name_of_none_or_of_several_things_is_told(count, said):
    error = errors.LookupFailed("job", "x", count, where=" here")
    assert str(error).startswith(said)
    assert "id" in error.fix


def test_an_unclear_start_names_its_mark_and_what_to_do():
    error = errors.AmbiguousStart("[af:x]", why="It rains")
    assert error.marker == "[af:x]"
    assert "the request was not sent again. It rains. Search dbt Cloud" in str(error)
    assert "clear the task" in str(error)


def test_an_invalid_argument_is_a_value_error_too():
    assert issubclass(errors.InvalidArgument, ValueError)

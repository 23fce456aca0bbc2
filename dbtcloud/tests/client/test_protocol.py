"""Requests say one thing on every wire, and never leave their place."""

import json
from datetime import date
from urllib.parse import unquote

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url
from yarl import URL

from dbtcloud.client.errors import InvalidArgument, MalformedResponse
from dbtcloud.client.protocol import (
    ANY_FILE,
    Request,
    Response,
    ask,
    file_path,
    identifier,
)

FOLDER = "/api/v2/accounts/1/runs/2/artifacts/"
TRICKY = st.text(alphabet="./\\%2e5cCfFE ~;?#&\t\n\0", max_size=16)


def sent_by_requests(target: str) -> str:
    """The target as requests prepares it and urllib3 then writes it."""
    return parse_url(requests.Request("GET", f"http://h{target}").prepare().url).request_uri


def sent_by_aiohttp(target: str) -> str:
    return URL(f"http://h{target}", encoded=True).raw_path_qs


@given(st.one_of(st.text(), TRICKY, st.lists(TRICKY, max_size=4).map("/".join)))
@example("..")
@example("%2e%2E/x")
@example("a/%252e%252e/b")
@example("a/..\\b")
@example("a%2f..%2fb")
@example("a/%25252e./b")
def test_an_artifact_path_is_refused_or_stays_below_its_run(path):
    try:
        target = FOLDER + file_path(path)
    except InvalidArgument:
        return
    assert sent_by_requests(target) == sent_by_aiohttp(target) == target
    segments = target.removeprefix(FOLDER).split("/")
    assert [unquote(segment) for segment in segments] == path.split("/")
    assert not {".", "..", ""} & set(segments)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc",
        "a/",
        "a//b",
        ".",
        "..",
        "../x",
        "a/../b",
        "%2e%2e/x",
        "a/%252e%252e",
        "a\\..\\b",
        "a%2f../b",
        "%21%2f..",  # the mark that it decodes to sorts before the percent sign
    ],
)
def test_a_path_with_a_part_that_moves_is_refused_with_what_to_do(path):
    with pytest.raises(InvalidArgument) as refused:
        file_path(path)
    what, why, fix = refused.value.what, refused.value.why, refused.value.fix
    assert repr(path) in what
    assert why
    assert "manifest.json" in fix


@given(st.text(), st.sampled_from(["GET", "POST"]))
def test_a_path_below_accounts_is_refused_or_stays_there(place, method):
    try:
        target = Request.custom(method, place, None, "v2").target
    except InvalidArgument:
        return
    assert sent_by_requests(target) == sent_by_aiohttp(target) == target
    assert target.startswith("/api/v2/accounts/")
    assert not {".", ".."} & set(target.split("/"))


@given(st.one_of(st.integers(), st.text(), st.floats(), st.booleans(), st.none()))
def test_an_identifier_is_digits_or_refused(value):
    try:
        text = identifier(value, "job id")
    except InvalidArgument:
        assert not str(value).isdecimal() or not str(value).isascii()
    else:
        assert set(text) <= set("0123456789")
        assert int(text) == int(value)


def test_a_name_in_place_of_an_id_is_refused():
    with pytest.raises(InvalidArgument, match=r"'Nightly' is not a valid job id.*the job id as a number"):
        identifier("Nightly", "job id")


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan")])
def test_a_body_that_has_no_form_in_json_is_refused(value):
    with pytest.raises(InvalidArgument, match="The body of POST /jobs/ cannot be written as JSON"):
        _ = Request("POST", "/jobs/", body={"name": value}).content


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("Foo", "jobs/", "The method 'Foo' is none of dbt Cloud's API. Use one of GET, POST"),
        (None, "jobs/", "The method None is none of"),
        ("GET", None, "The path of a request is None, no text. Give one such as 'steps/4/'"),
        ("GET", "a/../b", "'a/../b' is not a valid path of a request.*Give one such as 'steps/4/'"),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(method, path, message):
    with pytest.raises(InvalidArgument, match=message):
        Request.any(1, method, path, params={}, body=None, version="v2")


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), ("7", "7"), (" 70403110257794\n", "70403110257794"), ("9" * 19, "9" * 19)]
)
def test_ids_may_be_numbers_or_text(value, text):
    assert identifier(value, "job id") == text


@pytest.mark.parametrize(
    "value", ["1" * 20, 10**19, pytest.param(10**5000, id="5,001 digits"), -1, "", "\u0661"]
)
def test_what_is_too_long_or_no_row_of_digits_is_refused_as_an_id(value):
    with pytest.raises(InvalidArgument, match="is not a valid job id"):
        identifier(value, "job id")


QUERY_VALUES = [
    (True, "true"),
    (7, "7"),
    ("shop", "shop"),
    ([3, 1, 2], "[3,1,2]"),
    ((2, 1), "[2,1]"),
    ({10, 9, 8}, "[8,9,10]"),
    (frozenset([10, 9, 8]), "[8,9,10]"),
    ([date(2026, 11, 22)], '["2026-11-22"]'),
]


@pytest.mark.parametrize(("value", "text"), QUERY_VALUES, ids=repr)
def test_a_query_has_values_as_the_api_takes_them(value, text):
    assert Request.get(1, "runs", query={"a": value, "b": None}).query == {"a": text}


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_query_is_the_same_on_both_wires(query):
    target = Request("GET", "/api/", query).target
    assert sent_by_requests(target) == sent_by_aiohttp(target) == target


def test_an_engine_that_sends_no_response_is_noticed():
    call = ask(Request("GET", "/x"))
    next(call)
    with pytest.raises(RuntimeError, match="sent no response to GET /x"):
        call.send(None)


def test_a_request_says_what_it_is_and_holds_no_credentials():
    request = Request("GET", "/api/v2/accounts/1/runs/", {"limit": "1"})
    assert str(request) == "GET /api/v2/accounts/1/runs/?limit=1"
    assert request.headers == {"Accept": "application/json"}
    assert request.content is None


def test_a_request_with_a_body_sends_compact_json_and_is_not_repeated():
    request = Request.post(1, "jobs", "2", "run", body={"cause": "x", "threads": 4})
    assert request.content == b'{"cause":"x","threads":4}'
    assert request.headers == {"Accept": "application/json", "Content-Type": "application/json"}
    assert (request.path, request.repeatable) == ("/api/v2/accounts/1/jobs/2/run/", False)


@pytest.mark.parametrize(
    ("method", "place", "target", "accept"),
    [
        ("get", "1/steps/4/", "/api/v3/accounts/1/steps/4/?limit=1", "application/json"),
        ("GET", "", "/api/v3/accounts/?limit=1", "application/json"),
        (
            "GET",
            "1/runs/2/artifacts/manifest.json",
            "/api/v3/accounts/1/runs/2/artifacts/manifest.json?limit=1",
            ANY_FILE,
        ),
    ],
)
def test_a_path_of_ones_own_is_read_with_a_query(method, place, target, accept):
    request = Request.custom(method, place, {"limit": 1}, "v3")
    assert (request.method, request.target, request.accept) == ("GET", target, accept)
    assert (request.body, request.repeatable) == (None, True)


@pytest.mark.parametrize("method", ["POST", "post", "DELETE"])
def test_a_path_of_ones_own_that_makes_a_change_is_sent_once(method):
    request = Request.custom(method, "1/jobs/2/run", {"cause": "x"}, "v2")
    assert (request.method, request.target) == (method.upper(), "/api/v2/accounts/1/jobs/2/run/")
    assert (request.body, request.repeatable) == ({"cause": "x"}, False)
    assert Request.custom(method, "1/jobs/2/run", None, "v2").body == {}


def test_an_answer_is_a_file_if_it_is_an_artifact_or_goes_into_a_sink():
    artifact, streamed = Request("GET", "/x", accept=ANY_FILE), Request("GET", "/x", sink=object())
    assert (artifact.is_artifact, artifact.is_file) == (True, True)
    assert (streamed.is_artifact, streamed.is_file) == (False, True)
    assert not Request("GET", "/x").is_file


def test_requests_for_the_same_are_equal_whoever_receives_the_answer():
    request = Request("GET", "/x", sink=object(), check=print)
    assert request == Request("GET", "/x")
    assert "sink" not in repr(request)
    assert "check" not in repr(request)


def test_a_response_shows_its_status_only():
    assert repr(Response(200, {"a": "b"}, b"{}", raw="c")) == "Response(status=200)"


@pytest.mark.parametrize("status", [{"is_success": True}, {}, None])
def test_an_answer_with_data_is_an_envelope_unless_it_says_that_it_is_none(status):
    request = Request("GET", "/x")
    body = {"data": [1], "status": status}
    assert Response(200, {}, json.dumps(body).encode()).envelope(request) == body
    failed = Response(200, {}, b'{"data": [1], "status": {"is_success": false}}')
    with pytest.raises(MalformedResponse, match="contradicts itself"):
        failed.envelope(request)


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"{", "is not JSON"), (b"[]", "format of dbt Cloud's API"), (b'{"a": 1}', "format of dbt Cloud's API")],
)
def test_what_is_no_envelope_is_malformed(body, said):
    with pytest.raises(MalformedResponse, match=said):
        Response(200, {}, body).envelope(Request("GET", "/x"))

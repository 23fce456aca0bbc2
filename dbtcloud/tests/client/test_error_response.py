"""Every answer that cannot be used becomes an error of its own name, with its facts and what to do."""

import pytest

from dbtcloud.client import endpoints, errors
from dbtcloud.client.protocol import ANY_FILE, Request, Response, ask
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.sync_client import run_call
from wires.raw import answer, envelope, refusal
from wires.secrets import told

PAGE = "<!DOCTYPE html><html><body>Log in</body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def refused(engine, raw_server, access):
    """The error that an answer to one GET ends in."""

    def ask(reply: bytes | None) -> errors.DbtCloudError:
        raw_server.reply = reply
        with pytest.raises(errors.DbtCloudError) as raised:
            engine.ask(access(raw_server.url), endpoints.get_run(1, 2), retry=NO_RETRY)
        assert len(raw_server.received) == 1
        return raised.value

    return ask


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, errors.BadRequest, False),
        (401, errors.Unauthorized, False),
        (403, errors.Forbidden, False),
        (404, errors.NotFound, False),
        (408, errors.RequestTimeout, True),
        (405, errors.MethodNotAllowed, False),
        (409, errors.Conflict, False),
        (422, errors.Unprocessable, False),
        (429, errors.RateLimited, True),
        (500, errors.ServerError, True),
        (501, errors.ServerError, True),
        (503, errors.ServerError, True),
    ],
)
def test_a_status_becomes_its_error_with_what_dbt_cloud_said(refused, status, kind, retryable):
    error = refused(refusal(status, "No such luck.", {"reason": "rain"}))
    assert type(error) is kind
    assert (error.status, error.method, error.target) == (status, "GET", "/api/v2/accounts/1/runs/2/")
    assert (error.user_message, error.data) == ("No such luck.", {"reason": "rain"})
    assert error.retryable is retryable
    assert str(error).startswith(
        f"dbt Cloud answered {status} to GET /api/v2/accounts/1/runs/2/. It said: No such"
    )
    assert "rain" in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_usual_errors_say_what_happened_why_and_what_to_do(refused, status):
    error = refused(refusal(status, "Because"))
    assert str(error) == f"{error.what}. It said: Because. {error.hint}."
    assert error.hint


def test_the_frameworks_own_errors_are_read_too(refused):
    error = refused(answer({"detail": 'Method "GET" not allowed.'}, 405))
    assert error.user_message == 'Method "GET" not allowed.'


@pytest.mark.parametrize(
    "body", ["", PAGE, "[1]", '{"status": "x"}', '{"status": {"user_message": null}}', "\xff"]
)
@pytest.mark.parametrize("status", [404, 500])
def test_an_error_status_counts_whatever_its_body(refused, status, body):
    error = refused(answer(body, status))
    assert error.status == status
    assert error.user_message == ""
    assert "Log in" not in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}, None),
        ({"Retry-After": "\xb2"}, None),
        ({"X-Rate-Limit-Retry-After-Seconds": "300"}, 300),
    ],
)
def test_a_rate_limit_says_how_long_to_wait_when_it_was_told(refused, headers, seconds):
    error = refused(answer({"detail": "Request was throttled."}, 429, headers))
    assert error.retry_after == seconds


@pytest.mark.parametrize("headers", [HTML, {}])
def test_a_web_page_in_place_of_json_points_at_the_host(refused, headers):
    error = refused(answer(PAGE, headers=headers))
    assert isinstance(error, errors.MalformedResponse)
    assert "a web page (HTML) instead of JSON" in error.what
    assert "Access URL" in error.fix
    assert "Log in" not in str(error)


def test_cut_json_is_malformed(refused):
    error = refused(answer('{"data": {"id": 1, "sta'))
    assert isinstance(error, errors.MalformedResponse)
    assert "incomplete or damaged JSON" in error.what


def test_an_empty_answer_is_malformed(refused):
    assert isinstance(refused(answer("")), errors.MalformedResponse)


NO_ANSWERS = [
    (answer(""), "is empty. Its status is 200"),
    (answer("", 204), "is empty. Its status is 204"),
    (answer("null"), "It sent null"),
    (answer("{}"), "It sent an object with no fields"),
    (answer('"ok"'), "It sent a string"),
    (answer([]), "It sent a list"),
    (answer({"runs": []}), "It sent an object with runs"),
    (answer(envelope(None)), "It sent null"),
    (answer(envelope({"id": 1, "status": "success"})), "'status' is not a whole number. It sent a string"),
    (answer(b'{"data":' + b"[" * 2000 + b"]" * 2000 + b"}"), "incomplete or damaged JSON"),
]


@pytest.mark.parametrize(("reply", "words"), NO_ANSWERS, ids=[words for _, words in NO_ANSWERS])
def test_what_is_no_answer_is_asked_for_again_as_after_a_502(engine, raw_server, access, reply, words):
    raw_server.replies(reply, answer(envelope({"id": 2, "status": 3})))
    assert engine.ask(access(raw_server.url), endpoints.get_run(1, 2)).status == 3
    raw_server.reply = reply
    with pytest.raises(errors.MalformedResponse) as refused:
        engine.ask(access(raw_server.url), endpoints.get_run(1, 2))
    assert words in str(refused.value)
    assert len(raw_server.received) == 2 + 4


@pytest.mark.parametrize(("reply", "words"), NO_ANSWERS, ids=[words for _, words in NO_ANSWERS])
def test_what_is_no_answer_to_a_start_is_not_asked_for_again(engine, raw_server, access, reply, words):
    raw_server.reply = reply
    with pytest.raises(errors.MalformedResponse) as refused:
        engine.ask(access(raw_server.url), endpoints.trigger_run(1, 2, {"cause": "x"}))
    assert words in str(refused.value)
    assert len(raw_server.received) == 1


@pytest.mark.parametrize("status", [404, 502])
def test_an_error_status_counts_even_if_its_body_is_nested_two_thousand_times(refused, status):
    assert refused(answer(b"[" * 2000 + b"]" * 2000, status)).status == status


def test_a_body_that_ends_too_early_is_no_answer(refused):
    error = refused(answer(envelope({"id": 1, "status": 3}), cut=5))
    assert isinstance(error, errors.TransportError)
    assert error.sent


@pytest.mark.parametrize(
    "reply",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        answer(b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["garbage", "bad status line", "bad gzip"],
)
def test_what_is_no_http_is_no_answer(refused, reply):
    error = refused(reply)
    assert isinstance(error, errors.TransportError)
    assert error.sent
    assert "dbtc_a-token" not in told(error)


def test_a_connection_that_is_closed_without_a_word_is_no_answer(engine, raw_server, access):
    raw_server.reply = None
    with pytest.raises(errors.TransportError) as refused:
        engine.ask(access(raw_server.url), endpoints.trigger_run(1, 2, {"cause": "x"}))
    assert refused.value.sent
    assert [each.method for each in raw_server.received] == ["POST"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_not_followed_and_the_token_not_handed_on(engine, raw_server, access, status, method):
    raw_server.reply = answer("", status, {"Location": "/elsewhere?next=secret"})
    calls = {"GET": endpoints.get_run(1, 2), "POST": endpoints.trigger_run(1, 2, {"cause": "x"})}
    with pytest.raises(errors.MalformedResponse) as refused:
        engine.ask(access(raw_server.url), calls[method], retry=NO_RETRY)
    assert f"to /elsewhere ({status})" in refused.value.what
    assert "secret" not in str(refused.value)
    assert "Access URL" in refused.value.fix
    assert [each.method for each in raw_server.received] == [method]


def test_an_artifact_may_be_of_any_kind(engine, raw_server, access):
    raw_server.reply = answer(b"\x00\xff<html>", headers={"Content-Type": "text/html"})
    got = engine.ask(access(raw_server.url), endpoints.get_artifact(1, 2, "index.html"))
    assert got.body == b"\x00\xff<html>"


READ, FILE = Request("GET", "/r"), Request("GET", "/f", accept=ANY_FILE)


class Received:
    """A sink that has received what there was."""

    def begin(self, *, has_known_end=True): ...
    def write(self, chunk): ...
    def end(self): ...


def receive(request, status, body=b""):
    """Return the response if the client takes it for an answer to the request."""
    return run_call(ask(request), lambda _: Response(status, {}, body), retry=NO_RETRY)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (READ, 199, "dbt Cloud answered 199 to GET /r. The API does not use this status"),
        (FILE, 201, "dbt Cloud answered 201 to GET /f. Only a 200 holds the whole file"),
        (FILE, 206, "dbt Cloud answered 206 to GET /f. Only a 200 holds the whole file"),
        (READ, 300, "dbt Cloud redirected GET /r to an unknown address (300)"),
        (READ, 399, "dbt Cloud redirected GET /r to an unknown address (399)"),
        (READ, 400, "dbt Cloud answered 400 to GET /r"),
        (READ, 499, "dbt Cloud answered 499 to GET /r"),
    ],
)
def test_a_status_at_the_end_of_its_range_has_the_error_of_that_range(request_, status, words):
    with pytest.raises(errors.DbtCloudError) as refused:
        receive(request_, status, b"{}")
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("request_", [READ, FILE])
def test_a_200_and_other_statuses_of_success_are_answers(request_):
    assert receive(request_, 200, b"{}").status == 200
    assert receive(READ, 299, b"{}").status == 299


def test_an_empty_answer_counts_for_a_change_and_for_a_body_that_went_into_a_sink():
    assert receive(Request("POST", "/p"), 204).status == 204
    assert receive(Request("GET", "/r", sink=Received()), 200).status == 200
    with pytest.raises(errors.MalformedResponse, match="The answer to GET /r is empty"):
        receive(READ, 200)


@pytest.mark.parametrize("body", [b"12 x", b"{'a': 1}", b"> x"])
def test_damaged_json_is_no_web_page_and_the_error_says_where_the_damage_is(body):
    with pytest.raises(errors.MalformedResponse, match="is incomplete or damaged JSON") as refused:
        receive(READ, 200, body)
    assert "line 1 column" in refused.value.why


def test_the_message_for_developers_is_kept():
    with pytest.raises(errors.NotFound) as refused:
        receive(READ, 404, b'{"status": {"user_message": "Gone", "developer_message": "Row 7"}}')
    assert (refused.value.user_message, refused.value.developer_message) == ("Gone", "Row 7")


def test_the_messages_of_a_graphql_error_are_joined_and_other_entries_left_out():
    with pytest.raises(errors.BadRequest) as refused:
        receive(
            READ, 400, b'{"errors": [{"message": "One"}, {"code": 2}, "message", null, {"message": "Two"}]}'
        )
    assert refused.value.user_message == "One; Two"

"""What only reads is insisted on; what starts something is sent once, unless it surely did nothing."""

import asyncio
import contextlib

import pytest

from dbtcloud.client import endpoints, errors
from dbtcloud.client.protocol import Request, Response, Sleep
from dbtcloud.client.retry import DEFAULT_RETRY, NO_RETRY, RETRY_ONCE, Execution, RetryPolicy
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from wires.raw import RawServer, answer, envelope, refusal

READ, START = Request("GET", "/r"), Request("POST", "/run", body={}, repeatable=False)
UNSENT, LOST = errors.TransportError("x", sent=False), errors.TransportError("x", sent=True)
BROKEN, LIMITED = errors.ServerError(500, "GET", "/r"), errors.RateLimited(429, "GET", "/r")
PAGE, REFUSED = errors.MalformedResponse("x"), errors.NotFound(404, "GET", "/r")


@pytest.mark.parametrize(
    ("request_", "error", "again"),
    [
        *((READ, error, True) for error in (UNSENT, LOST, BROKEN, LIMITED, PAGE)),
        (READ, REFUSED, False),
        (START, UNSENT, True),
        *((START, error, False) for error in (LOST, BROKEN, LIMITED, PAGE, REFUSED)),
    ],
)
def test_a_request_is_repeated_only_where_that_can_help_and_cannot_act_twice(request_, error, again):
    assert (RetryPolicy()(request_, error, 1) is not None) is again
    assert request_.may_repeat_after(error) or not again


def test_pauses_double_and_end_with_the_attempts():
    policy = RetryPolicy(attempts=5, delay=8, max_delay=30)
    assert [policy(READ, BROKEN, attempt) for attempt in range(1, 6)] == [8, 16, 30, 30, None]


@pytest.mark.parametrize(("asked", "pause"), [(7, 7), (30, 30), (31, None), (0, 0)])
def test_retry_after_is_kept_to_unless_it_is_too_long(asked, pause):
    limited = errors.RateLimited(429, "GET", "/r", retry_after=asked)
    assert RetryPolicy(max_delay=30)(READ, limited, 1) == pause


LIMIT = {"kind": "status", "status": 429}
FAULTS = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    LIMIT,
    {"kind": "reset"},
    {"kind": "cut"},
    {"kind": "html"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_read_is_repeated_until_it_comes(engine, dbt_cloud, access, fault):
    (run,) = dbt_cloud.control.seed(runs=[{"job_id": 1}])["runs"]
    dbt_cloud.control.add_fault(**fault, count=3)
    found = engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), endpoints.get_run(1, run))
    assert found.id == run
    assert dbt_cloud.control.counters()["requests"] == 4


def test_a_read_that_never_comes_ends_with_its_error(engine, dbt_cloud, access):
    dbt_cloud.control.add_fault("status", status=503)
    with pytest.raises(errors.ServerError):
        engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), endpoints.get_job(1, 1))
    assert dbt_cloud.control.counters()["requests"] == 4


UNCLEAR = [
    *({**fault, "after_acting": acted} for fault in FAULTS if fault != LIMIT for acted in (True, False)),
    *({"kind": "redirect", "after_acting": acted} for acted in (True, False)),
]


@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_start_that_may_have_worked_is_never_sent_twice(engine, dbt_cloud, access, fault):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    dbt_cloud.control.add_fault(**fault)
    with pytest.raises(errors.DbtCloudError):
        engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), endpoints.trigger_run(1, 70, {"cause": "x"}))
    counters = dbt_cloud.control.counters()
    assert (counters["requests"], counters["runs_created"]) == (
        1,
        int(fault["after_acting"] or fault["kind"] == "cut"),
    )


@pytest.mark.parametrize(
    "call", [lambda: endpoints.retry_run(1, 2), lambda: endpoints.rerun_job(1, 1)], ids=["retry", "rerun"]
)
def test_other_ways_to_start_a_run_are_not_repeated_either(engine, dbt_cloud, access, call):
    dbt_cloud.control.add_fault("status", status=500)
    with pytest.raises(errors.ServerError):
        engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), call())
    assert dbt_cloud.control.counters()["requests"] == 1


def test_cancelling_is_repeated(engine, dbt_cloud, access):
    dbt_cloud.control.seed(
        jobs=[{"id": 70, "name": "Nightly", "pretend": {"running": 60}}], runs=[{"job_id": 70, "id": 7}]
    )
    dbt_cloud.control.add_fault("status", status=500, after_acting=True, count=1)
    run = engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), endpoints.cancel_run(1, 7))
    assert run.status == 30


def test_a_start_that_is_refused_by_a_rate_limit_is_not_sent_again(engine, dbt_cloud, access):
    """It may have had its effect: whoever starts a run searches for it first."""
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    dbt_cloud.control.add_fault("status", status=429, after_acting=True, count=1)
    with pytest.raises(errors.RateLimited):
        engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), endpoints.trigger_run(1, 70, {"cause": "x"}))
    counters = dbt_cloud.control.counters()
    assert (counters["requests"], counters["runs_created"]) == (1, 1)


class Pauses:
    """Notes the pauses that are taken, and does something during the first."""

    def __init__(self, meanwhile=lambda: None):
        self.taken, self._meanwhile = [], meanwhile

    def __call__(self, seconds):
        if not self.taken:
            self._meanwhile()
        self.taken.append(seconds)


def carry_out(engine, credentials, call, pauses, retry):
    if engine.name == "sync":
        with SyncClient(credentials) as client:
            return run_call(call, client.send, retry=retry, sleep=pauses)

    async def on_a_loop():
        async def pause(seconds):
            pauses(seconds)

        async with AsyncClient(credentials) as client:
            return await run_call_async(call, client.send, retry=retry, sleep=pause)

    return asyncio.run(on_a_loop())


def test_a_start_that_no_server_took_is_sent_again(engine, closed_port, access):
    servers = []
    pauses = Pauses(lambda: servers.append(RawServer(closed_port)))
    call = endpoints.trigger_run(1, 70, {"cause": "x"})
    retry = RetryPolicy(delay=3)
    run = carry_out(engine, access(f"http://127.0.0.1:{closed_port}"), call, pauses, retry)
    with contextlib.closing(servers[0]) as server:
        assert run.id == 1
        assert pauses.taken == [3]
        assert [each.method for each in server.received] == ["POST"]


def test_the_engines_take_the_pauses_that_are_asked_for(engine, raw_server, access):
    raw_server.replies(
        refusal(500, "x"), answer({}, 429, {"Retry-After": "11"}), answer(envelope({"id": 1, "status": 3}))
    )
    pauses = Pauses()
    carry_out(engine, access(raw_server.url), endpoints.get_run(1, 1), pauses, RetryPolicy(delay=2))
    assert pauses.taken == [2, 11]


@pytest.mark.parametrize(("retry", "taken"), [(DEFAULT_RETRY, [1, 2, 4]), (RETRY_ONCE, [1]), (NO_RETRY, [])])
def test_each_policy_has_its_number_of_attempts(engine, raw_server, access, retry, taken):
    raw_server.reply = refusal(500, "x")
    pauses = Pauses()
    with pytest.raises(errors.ServerError):
        carry_out(engine, access(raw_server.url), endpoints.get_run(1, 1), pauses, retry)
    assert pauses.taken == taken
    assert len(raw_server.received) == len(taken) + 1


def test_only_the_response_that_the_call_receives_is_reported():
    replies = [Response(503, {}, b""), Response(200, {}, b'{"data": {"id": 1, "status": 3}}')]
    responses = []

    def call():
        yield Sleep(1)
        return (yield from endpoints.get_run(1, 1))

    run_call(
        call(),
        lambda request: replies.pop(0),
        sleep=lambda seconds: None,
        on_response=responses.append,
    )
    assert [each.status for each in responses] == [200]


def test_each_attempt_is_told_in_the_log(engine, raw_server, access, caplog):
    raw_server.replies(refusal(500, "Oops"), answer(envelope({"id": 1, "status": 3})))
    engine.ask(access(raw_server.url), endpoints.get_run(1, 1))
    (record,) = [each for each in caplog.records if each.name == "dbtcloud.client.retry"]
    assert record.levelname == "WARNING"
    assert "answered 500" in record.getMessage()
    assert "Attempt 1" in record.getMessage()


def test_the_steps_of_a_call_end_with_its_result_or_its_error():
    request, pause = Request("GET", "/x"), Sleep(1)

    def call():
        yield pause
        try:
            response = yield request
        except errors.MalformedResponse:
            response = yield request
        return response.status

    execution = Execution(call(), NO_RETRY)
    assert execution.next_step(None) is pause
    assert execution.next_step(None) is request
    assert execution.next_step(errors.MalformedResponse("x")) is request
    assert execution.next_step(Response(200, {}, b"{}")) is None
    assert execution.result == 200
    failing = Execution(call(), NO_RETRY)
    failing.next_step(None)
    failing.next_step(None)
    with pytest.raises(errors.InvalidArgument):
        failing.next_step(errors.InvalidArgument("x"))

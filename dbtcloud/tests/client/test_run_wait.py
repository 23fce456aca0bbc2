"""Conversations of several requests, carried out by both engines with a clock of the test's own."""

import asyncio
from contextlib import nullcontext

import pytest

from dbtcloud.client import endpoints, errors
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.job_lookup import find_job
from dbtcloud.client.models import Run
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.run_wait import PollSchedule
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from wires.raw import answer, envelope, refusal


class Time:
    """A clock that only pauses move."""

    def __init__(self):
        self.now, self.pauses = 0.0, []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    async def pause_on_a_loop(self, seconds):
        self.pause(seconds)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def wait(engine, raw_server, access, time):
    """Waits for run 7 while the server gives these answers."""

    def carried_out(call):
        credentials = access(raw_server.url)
        if engine.name == "sync":
            with SyncClient(credentials) as client:
                return run_call(call, client.send, retry=NO_RETRY, sleep=time.pause)

        async def on_a_loop():
            async with AsyncClient(credentials) as client:
                return await run_call_async(call, client.send, retry=NO_RETRY, sleep=time.pause_on_a_loop)

        return asyncio.run(on_a_loop())

    def make(*replies, interval=60, timeout=10_000):
        raw_server.replies(*replies)
        schedule = PollSchedule(interval, timeout, time)
        tolerance = FailureTolerance(time, lambda line: None)
        return carried_out(schedule.wait_for_run(7, lambda: endpoints.get_run(1, 7), tolerance))

    return make


def run(status):
    return answer(envelope({"id": 7, "status": status, "href": "https://x/runs/7/"}))


@pytest.mark.parametrize("status", [10, 20, 30])
def test_a_wait_ends_with_the_run(wait, time, status):
    assert wait(run(1), run(2), run(3), run(status)).status == status
    assert time.pauses == [60, 60, 60]


@pytest.mark.parametrize(
    "bad", [refusal(500, "x"), refusal(429, "x"), answer("<html>"), None, refusal(404, "x")]
)
def test_a_wait_lives_through_a_bad_look(wait, bad):
    assert wait(run(3), bad, run(10)).status == 10


@pytest.mark.parametrize(
    ("status", "kind", "looks"),
    [(401, errors.Unauthorized, 6), (403, errors.Forbidden, 6), (404, errors.NotFound, 2)],
)
def test_a_refusal_that_stays_ends_the_wait_under_its_own_name(wait, time, raw_server, status, kind, looks):
    with pytest.raises(kind, match=f"answered {status}"):
        wait(refusal(status, "No."))
    assert len(raw_server.received) == looks


def test_a_refusal_that_cannot_pass_ends_the_wait_at_once(wait, raw_server):
    with pytest.raises(errors.BadRequest):
        wait(refusal(400, "No."))
    assert len(raw_server.received) == 1


def test_a_timeout_is_not_overshot_and_tells_that_the_run_goes_on(wait, time):
    with pytest.raises(
        errors.RunTimedOut, match=r"not reached a terminal status after 100 seconds; it may still be running"
    ) as out:
        wait(run(3), timeout=100)
    assert time.pauses == [60, 40]
    assert out.value.__cause__ is None
    assert (out.value.run_id, out.value.status) == (7, 3)
    assert "The last poll found it running" in str(out.value)
    assert "https://x/runs/7/" in str(out.value)


def test_a_timeout_while_nothing_can_be_seen_does_not_say_that_the_run_failed(wait):
    with pytest.raises(errors.RunTimedOut, match="may still be running") as out:
        wait(run(2), refusal(503, "Down."), timeout=100)
    assert out.value.status == 2
    assert isinstance(out.value.__cause__, errors.ServerError)


def test_a_failure_that_has_passed_is_not_the_cause(wait):
    with pytest.raises(errors.RunTimedOut) as out:
        wait(refusal(503, "Down."), run(2), timeout=100)
    assert out.value.__cause__ is None


def test_a_poll_may_take_what_is_left_of_the_time(engine, raw_server, access, time):
    raw_server.replies(run(3), run(3), run(10))
    limits = []
    schedule = PollSchedule(0.01, 1000, time, lambda seconds: limits.append(seconds) or nullcontext())

    def read():
        run = yield from endpoints.get_run(1, 7)
        time.now += 600
        return run

    call = schedule.wait_for_run(7, read, FailureTolerance(time, lambda line: None))
    with pytest.raises(errors.RunTimedOut):
        engine.ask(access(raw_server.url), call)
    assert limits == [1000, 400]


def test_a_poll_that_succeeds_ends_a_row_of_failures(wait):
    """Four minutes of 401 are tolerated twice, but not eight minutes in a row."""
    denied = [refusal(401, "No.")] * 5
    assert wait(*denied, run(3), *denied, run(10)).status == 10


def test_the_runs_page_is_remembered_from_an_earlier_poll(wait):
    without_page = answer(envelope({"id": 7, "status": 3}))
    with pytest.raises(errors.RunTimedOut, match=r"at https://x/runs/7/"):
        wait(run(1), without_page, timeout=100)


def test_how_a_run_ended_has_a_name():
    failed = Run(id=7, status=20, status_message="It broke.", href="https://x/7/")
    assert str(failed.error()) == "Job run 7 has failed. It broke. See https://x/7/."
    cancelled = Run(id=7, status=30).error()
    assert isinstance(cancelled, errors.RunCancelled)
    assert str(cancelled) == "Job run 7 has been cancelled."


def test_a_job_is_found_by_its_whole_name_among_those_that_contain_it(engine, dbt_cloud, access):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly"}, {"id": 71, "name": "Nightly, staging"}])
    call = find_job(1, "Sample bakery", "Production", "Nightly")
    assert engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), call).id == 70


def test_names_with_everything_in_them_are_found(engine, dbt_cloud, access):
    name = 'Büro & Co/1 100% "a" + [b] ?#'
    dbt_cloud.control.seed(projects=[{"id": 5, "name": name}])
    dbt_cloud.control.seed(environments=[{"id": 6, "name": name, "project_id": 5}])
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": name, "project_id": 5, "environment_id": 6}])
    call = find_job(1, name, name, name)
    assert engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), call).id == 70


@pytest.mark.parametrize(
    ("names", "kind", "count"),
    [
        (("x", "y", "z"), "project", 0),
        (("Sample bakery", "y", "z"), "environment", 0),
        (("Sample bakery", "Production", "Twin"), "job", 2),
    ],
)
def test_a_name_of_none_or_of_several_is_told_with_its_facts(engine, dbt_cloud, access, names, kind, count):
    dbt_cloud.control.seed(jobs=[{"id": 80, "name": "Twin"}, {"id": 81, "name": "Twin"}])
    with pytest.raises(errors.LookupFailed) as failed:
        engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), find_job(1, *names))
    assert (failed.value.kind, failed.value.count) == (kind, count)
    assert failed.value.name in names
    assert "give the job's id" in failed.value.fix.lower()

"""One poll loop for all who wait: few requests, soon told, and nothing left of it afterwards."""

import asyncio
import contextvars
import gc
import json
import time
from itertools import chain, pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
import requests as http
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    rule,
    run_state_machine_as_test,
)

from dbtcloud.client import endpoints
from dbtcloud.client.errors import DbtCloudError, RateLimited, ServerError, TransportError
from dbtcloud.client.polling.poller import LINGER, RunPoller
from dbtcloud.client.polling.rate_limiter import TokenBucket
from dbtcloud.client.transport.credentials import Credentials
from wires.raw import answer, envelope, silence

FOREVER = {"running": 36_000}


@pytest.fixture
def poller(dbt_cloud, access):
    return make(dbt_cloud, access)


def make(cloud, access, per_minute=1e9, **transport):
    credentials = access(cloud.url, token=cloud.token, **transport)
    return RunPoller(credentials, "1", TokenBucket(per_minute, time.monotonic))


@pytest.fixture
def runs(jobs):
    """Seeds this many runs that go on until the clock is advanced."""

    def seed(count):
        jobs.control.seed(jobs=[{"id": 60, "name": "Long", "pretend": FOREVER}])
        ids = jobs.control.seed(runs=[{"job_id": 60, "count": count}])["runs"]
        jobs.control.clear_requests()
        return ids

    return seed


async def until(condition, seconds=5.0):
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- the server's journal has no event
            await asyncio.sleep(0.01)


async def test_without_anybody_waiting_there_is_no_connection_to_ask_over(poller):
    with pytest.raises(LookupError):
        await poller.ask(endpoints.get_run(1, 7))


async def test_other_calls_are_paced_with_the_looks(dbt_cloud, access, runs, jobs):
    (run,) = runs(1)
    poller = make(dbt_cloud, access, per_minute=10)
    waiting = asyncio.create_task(poller.next_change(run, 3, 0.05))
    await until(lambda: requests(jobs) == 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(poller.ask(endpoints.get_run(1, run)), 0.3)
    assert requests(jobs) == 1
    waiting.cancel()


def requests(jobs):
    return jobs.control.counters()["requests"]


def others():
    """Tasks of this loop besides the present one."""
    return asyncio.all_tasks() - {asyncio.current_task()}


async def statuses(waits):
    return [run.status for run in await asyncio.gather(*waits)]


async def test_a_thousand_runs_are_ten_requests_a_tick_on_four_connections(poller, runs, jobs):
    ids = runs(1000)
    assert await statuses(poller.next_change(run, None, 0.5) for run in ids) == [3] * 1000
    assert requests(jobs) == 10
    waits = asyncio.gather(*(poller.next_change(run, 3, 0.5) for run in ids))
    await until(lambda: requests(jobs) >= 30)
    jobs.control.advance(36_000)
    assert {run.status for run in await waits} == {10}
    assert requests(jobs) % 10 == 0
    assert jobs.control.counters()["connections"] <= 4


async def test_the_smallest_interval_is_kept_by_all_and_no_smaller_one(poller, runs, jobs):
    slow, quick = runs(2)
    waits = [asyncio.create_task(poller.next_change(*each)) for each in ((slow, 3, 60.0), (quick, 3, 0.4))]
    await until(lambda: requests(jobs) >= 4)
    instants = [each["instant"] / 1e6 for each in jobs.control.requests()]
    assert all(0.3 <= later - earlier < 1.0 for earlier, later in pairwise(instants))
    for wait in waits:
        wait.cancel()


async def test_who_wants_to_know_at_once_does_not_wait_for_the_next_tick(poller, runs, jobs):
    ids = runs(120)
    waiting = asyncio.create_task(poller.next_change(ids[0], 3, 60.0))
    assert (await poller.next_change(ids[1], None, 60.0)).status == 3
    jobs.control.clear_requests()
    async with asyncio.timeout(20):
        hurried = (poller.next_change(run, None, 60.0, at_once=True) for run in ids)
        assert await statuses(hurried) == [3] * 120
    assert requests(jobs) <= 4
    waiting.cancel()


async def test_who_comes_is_not_held_up_by_a_long_interval(poller, runs, jobs):
    slow, quick = runs(2)
    assert (await poller.next_change(slow, None, 60.0)).status == 3
    waiting = asyncio.create_task(poller.next_change(slow, 3, 60.0))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        assert (await poller.next_change(quick, None, 0.2)).status == 3
        ends = asyncio.create_task(poller.next_change(quick, 3, 0.2))
        await asyncio.sleep(0)
        jobs.control.advance(36_000)
        assert (await ends).status == 10
    waiting.cancel()


async def test_waiters_of_one_run_are_all_told_by_one_request(poller, runs, jobs):
    (run,) = runs(1)
    assert await statuses(poller.next_change(run, None, 60) for _ in range(5)) == [3] * 5
    assert requests(jobs) == 1


async def test_an_error_is_told_and_waiting_again_goes_on_at_the_interval(poller, runs, jobs):
    (run,) = runs(1)
    jobs.control.add_fault("status", count=2)
    begin = time.monotonic()
    for _ in range(2):
        with pytest.raises(ServerError):
            await poller.next_change(run, None, 0.3)
    assert (await poller.next_change(run, None, 0.3)).status == 3
    assert time.monotonic() - begin >= 2 * 0.9 * 0.3


async def test_a_429_holds_up_all_together(poller, runs, jobs):
    ids = runs(250)
    jobs.control.add_fault("status", status=429, retry_after=1, count=3)
    told = await asyncio.gather(*(poller.next_change(run, None, 0.1) for run in ids), return_exceptions=True)
    assert {type(each) for each in told} == {RateLimited}
    begin = time.monotonic()
    assert await statuses(poller.next_change(run, None, 0.1) for run in ids) == [3] * 250
    assert 0.8 <= time.monotonic() - begin < 30
    assert requests(jobs) == 6


async def test_the_bucket_bounds_what_is_asked(dbt_cloud, access, runs, jobs):
    ids = runs(500)
    poller = make(dbt_cloud, access, per_minute=60 * 8)  # 8 a second, 48 of them at once
    waits = [asyncio.create_task(poller.next_change(run, 3, 0.01)) for run in ids]
    began = time.monotonic()
    async with asyncio.timeout(60):
        while requests(jobs) < 60:  # noqa: ASYNC110 -- the journal has no event
            await asyncio.sleep(0.1)
    assert requests(jobs) <= 48 + 8 * (time.monotonic() - began) + 5
    for wait in waits:
        wait.cancel()


@pytest.mark.parametrize("when", ["between ticks", "during a request", "in a cool-down"])
async def test_it_ends_with_its_last_waiter_and_leaves_nothing(poller, runs, jobs, when, recwarn):
    ids = runs(3)
    if when == "during a request":
        jobs.control.add_fault("delay", seconds=30)
    if when == "in a cool-down":
        jobs.control.add_fault("status", status=429, retry_after=200, count=1)
        with pytest.raises(RateLimited):
            await poller.next_change(ids[0], None, 0.1)
    waits = [
        asyncio.create_task(poller.next_change(run, None if when != "between ticks" else 3, 60))
        for run in ids
    ]
    await until(lambda: requests(jobs) >= 1) if when == "during a request" else await asyncio.sleep(0.1)
    for wait in waits:
        wait.cancel()
    await until(lambda: not others(), LINGER + 1)
    gc.collect()
    assert [str(each.message) for each in recwarn if each.category is ResourceWarning] == []


async def test_who_comes_back_within_a_moment_finds_the_connections_open(poller, runs, jobs):
    (run,) = runs(1)
    for _ in range(3):
        await poller.next_change(run, None, 0.01)
    assert jobs.control.counters()["connections"] == 1


async def test_who_comes_after_its_end_starts_it_anew(poller, runs, jobs):
    (run,) = runs(1)
    for _ in range(2):
        assert (await poller.next_change(run, None, 0.01)).status == 3
        await until(lambda: not others(), LINGER + 1)


async def test_who_comes_while_it_ends_is_served(poller, runs):
    (run,) = runs(1)
    await poller.next_change(run, None, 0.01)
    poller._end_if_deserted(poller._task)
    async with asyncio.timeout(20):
        assert (await poller.next_change(run, None, 0.01)).status == 3


async def test_where_its_task_is_cancelled_nobody_is_left_waiting(poller, runs):
    (run,) = runs(1)
    wait = asyncio.create_task(poller.next_change(run, 3, 60))
    await asyncio.sleep(0.05)
    poller._task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(wait, 20)
    async with asyncio.timeout(20):
        assert (await poller.next_change(run, None, 60)).status == 3


async def test_a_fault_of_our_own_is_told_rather_than_kept(poller, runs):
    (run,) = runs(1)
    waits = [poller.next_change(each, None, 0.1) for each in (run, "ids that cannot be sorted")]
    async with asyncio.timeout(20):
        told = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(each) for each in told] == [TypeError, TypeError]
    assert (await poller.next_change(run, None, 0.1)).status == 3


trigger = contextvars.ContextVar("trigger", default=None)


async def test_its_requests_belong_to_no_waiter(poller, runs):
    class Noting(Credentials):
        def headers(self, request):
            belonged_to.append(trigger.get())
            return super().headers(request)

    belonged_to = []
    fields = {name: getattr(poller.credentials, name) for name in Credentials.__dataclass_fields__}
    poller.credentials = Noting(**fields)
    trigger.set("the first waiter")
    await statuses(poller.next_change(run, None, 60) for run in runs(150))
    assert belonged_to == [None, None]


def test_two_loops_have_two_pollers(dbt_cloud, access, runs):
    (run,) = runs(1)

    async def watched():
        return (await make(dbt_cloud, access).next_change(run, None, 1)).status

    assert [asyncio.run(watched()), asyncio.run(watched())] == [3, 3]


class Waiting(RuleBasedStateMachine):
    """Waiters come, go and are told in any order; whoever should be told is told soon, and nobody wrongly."""

    cloud = access = None
    waiting = Bundle("waiting")

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.status = {}

    @initialize()
    def begin(self):
        control = self.cloud.control
        control.reset()
        control.seed(jobs=[{"id": 60, "name": "Long", "pretend": FOREVER}])
        self.poller = make(self.cloud, self.access, timeout=5)

    def do(self, awaitable, seconds=5):
        return self.loop.run_until_complete(asyncio.wait_for(awaitable, seconds))

    async def outlast(self, run, known, interval, at_once=False):
        """Wait as a trigger does: a look that failed is followed by the next."""
        told = known
        while True:
            try:
                told = (await self.poller.next_change(run, told, interval, at_once=at_once)).status
            except DbtCloudError as error:
                if not error.retryable:
                    raise
                told = None
            if told not in {None, known}:
                return told

    @rule(
        target=waiting,
        interval=st.sampled_from([0.01, 0.03, 0.3]),
        aware=st.booleans(),
        at_once=st.booleans(),
    )
    def join(self, interval, aware, at_once):
        (run,) = self.cloud.control.seed(runs=[{"job_id": 60, "pretend": FOREVER}])["runs"]
        wait = self.loop.create_task(self.outlast(run, 3 if aware else None, interval, at_once))
        self.do(asyncio.sleep(0))
        return run, wait, interval, aware

    @rule(who=consumes(waiting))
    def leave_or_be_told(self, who):
        _, wait, _, aware = who
        if aware:
            assert not wait.done()
            wait.cancel()
            self.do(asyncio.wait([wait]))
            assert wait.cancelled()
        else:
            assert self.do(wait) == 3

    @rule(who=consumes(waiting))
    def finish(self, who):
        run, wait, interval, aware = who
        if not aware:
            assert self.do(wait) == 3
            wait = self.loop.create_task(self.outlast(run, 3, 0.01))
        elif interval > 0.1:
            wait.cancel()
            wait = self.loop.create_task(self.outlast(run, 3, 0.01))
        self._cancel_in_dbt_cloud(run)
        assert self.do(wait) == 30

    def _cancel_in_dbt_cloud(self, run):
        url = f"{self.cloud.url}/api/v2/accounts/1/runs/{run}/cancel/"
        http.post(url, headers={"Authorization": f"Token {self.cloud.token}"}, timeout=5).raise_for_status()

    @rule(kind=st.sampled_from(["status", "reset", "html", "cut"]))
    def fail(self, kind):
        (run,) = self.cloud.control.seed(runs=[{"job_id": 60, "pretend": FOREVER}])["runs"]
        self.cloud.control.add_fault(kind, route="*/runs/", count=2)
        assert self.do(self.outlast(run, None, 0.01)) == 3

    @rule()
    def refuse(self):
        self.cloud.control.add_fault("refuse_pk__in", count=1)

    @rule()
    def pass_time(self):
        self.do(asyncio.sleep(0.03))

    def teardown(self):
        self.cloud.control.clear_faults()
        for task in asyncio.all_tasks(self.loop):
            if task is not self.poller._task:
                task.cancel()
        self.loop.run_until_complete(until(lambda: not others()))
        self.loop.close()


def test_waiters_may_come_go_and_fail_in_any_order(dbt_cloud, access, monkeypatch):
    monkeypatch.setattr("dbtcloud.client.polling.poller.LINGER", 0.05)
    there = type("Waiting", (Waiting,), {"cloud": dbt_cloud, "access": staticmethod(access)})
    checks = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
    run_state_machine_as_test(
        there,
        settings=settings(
            max_examples=20,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=checks,
        ),
    )


async def test_a_poll_that_hangs_fails_in_time_and_holds_up_nobody_else(access, raw_server):
    """Run 1 is in a request that is never answered; run 200 is in another."""

    def reply(request):
        ids = ids_of(request)
        if ids is None or 1 in ids:
            return chain([b"HTTP/1.1 103 Early Hints\r\n\r\n"], silence())
        return answer(envelope([{"id": number, "status": 3 + 7 * (len(asked) > 3)} for number in ids]))

    asked = raw_server.received
    raw_server.reply = reply
    poller = RunPoller(access(raw_server.url, timeout=1), "1", TokenBucket(1e9, time.monotonic))
    began = time.monotonic()
    hanging = [asyncio.create_task(poller.next_change(number, None, 0.05)) for number in range(1, 101)]
    assert (await poller.next_change(200, None, 0.05)).status == 3
    assert (await poller.next_change(200, 3, 0.05)).status == 10
    assert time.monotonic() - began < 0.9
    assert not any(each.done() for each in hanging)
    errors = await asyncio.gather(*hanging, return_exceptions=True)
    assert {type(error) for error in errors} == {TransportError}
    assert time.monotonic() - began < 2


def ids_of(request):
    """The ids that a request asks for together, or None."""
    query = parse_qs(urlsplit(request.target).query)
    return json.loads(query["pk__in"][0]) if "pk__in" in query else None

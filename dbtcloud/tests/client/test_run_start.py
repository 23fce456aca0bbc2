"""A run is started once, whatever becomes of the answers; pauses pass on dbt Cloud's clock, not on ours."""

import asyncio
from datetime import timedelta

import pytest

from dbtcloud.client.errors import (
    AmbiguousStart,
    BadRequest,
    InvalidArgument,
    RateLimited,
    ServerError,
    TransportError,
    Unauthorized,
)
from dbtcloud.client.marker import Marker
from dbtcloud.client.retry import DEFAULT_RETRY, NO_RETRY, RetryPolicy
from dbtcloud.client.run_search import RunSearch
from dbtcloud.client.run_start import SEARCH_DELAYS, start_retry_run, start_run
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from wires.raw import answer, envelope

POST = {"method": "POST", "route": "*/run/"}
LISTS = {"method": "GET", "route": "*/runs/"}
AMBIGUOUS = {
    "reset after acting": {"kind": "reset", "after_acting": True},
    "reset before acting": {"kind": "reset"},
    "500 after acting": {"kind": "status", "status": 500, "after_acting": True},
    "503 before acting": {"kind": "status", "status": 503},
    "HTML after acting": {"kind": "html", "after_acting": True},
    "cut": {"kind": "cut"},
    "silence after acting": {"kind": "delay", "seconds": 2, "after_acting": True},
}


class Starter:
    """Carries out calls with one of the engines; pauses are counted and pass on dbt Cloud's clock."""

    def __init__(self, name, cloud, access):
        self.name, self.cloud, self.credentials = name, cloud, access(cloud.url, token=cloud.token, timeout=1)
        self.pauses, self.in_pause = [], lambda: None
        self.mark = Marker.random()

    def passes(self, seconds):
        self.pauses.append(seconds)
        self.cloud.control.advance(seconds)
        self.in_pause()

    async def passes_on_a_loop(self, seconds):
        self.passes(seconds)

    async def on_a_loop(self, call, retry):
        async with AsyncClient(self.credentials) as client:
            return await run_call_async(call, client.send, retry=retry, sleep=self.passes_on_a_loop)

    def carry_out(self, call, retry=DEFAULT_RETRY):
        if self.name == "aio":
            return asyncio.run(self.on_a_loop(call, retry))
        with SyncClient(self.credentials) as client:
            return run_call(call, client.send, retry=retry, sleep=self.passes)

    def start(self, job_id, **how):
        payload = {"cause": self.mark.add_to("A test")}
        return self.carry_out(start_run("1", job_id, payload), **how)


@pytest.fixture
def starter(engine, dbt_cloud, access, jobs):
    return Starter(engine.name, dbt_cloud, access)


def posts(jobs):
    return len(jobs.asked("POST", "/run/"))


def test_an_answer_that_comes_is_all_there_is(starter, jobs):
    run = starter.start(jobs.instant)
    assert starter.pauses == []
    assert len(jobs.control.requests()) == posts(jobs) == 1
    assert [each["id"] for each in jobs.runs()] == [run.id]


def test_a_run_that_is_found_and_cannot_be_read_is_unclear(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST, count=1)
    jobs.control.add_fault("status", status=403, method="GET", route="*/runs/*[0-9]/")
    with pytest.raises(AmbiguousStart, match=r"Run \d+ seems to be it, but cannot be read"):
        starter.start(jobs.endless)
    assert (posts(jobs), len(jobs.runs())) == (1, 1)


@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_answer_that_is_lost_leads_to_one_run(starter, jobs, fault):
    jobs.control.add_fault(**fault, **POST, count=1)
    run = starter.start(jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert Marker.find(run.cause) == starter.mark


def test_a_run_that_was_begun_is_found_without_a_second_request(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST)
    run = starter.start(jobs.endless)
    assert (posts(jobs), len(jobs.runs())) == (1, 1)
    assert run.cause == starter.mark.add_to("A test")


def test_a_run_that_appears_ten_seconds_after_the_500_is_found(starter, jobs):
    jobs.control.add_fault("status", **POST, count=1)

    def appears():
        if sum(starter.pauses) == 10:
            jobs.started(jobs.endless, cause=starter.mark.add_to("A test"))

    starter.in_pause = appears
    run = starter.start(jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert sum(starter.pauses) == 10


def test_of_several_runs_with_the_marker_the_oldest_is_taken(starter, jobs):
    jobs.control.add_fault("status", **POST, count=1)

    def several_appear():
        if len(starter.pauses) == 1:
            for _ in range(3):
                jobs.started(jobs.endless, cause=starter.mark.add_to("A test"))

    starter.in_pause = several_appear
    run = starter.start(jobs.endless, retry=NO_RETRY)
    assert run.id == min(each["id"] for each in jobs.runs())
    assert (len(jobs.runs()), posts(jobs)) == (3, 1 + 3)  # those of the test are counted as well


def test_the_run_is_found_behind_three_hundred_newer_ones(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST, count=1)

    def others():
        if len(jobs.asked("GET", "/runs/")) == 0:
            jobs.control.seed(runs=[{"job_id": jobs.endless, "count": 300}])

    starter.in_pause = others
    run = starter.start(jobs.endless)
    assert run.id == jobs.runs()[0]["id"]
    assert posts(jobs) == 1


@pytest.mark.parametrize("status", [408, 502])
def test_it_is_asked_again_only_after_searches_over_three_minutes(starter, jobs, status):
    jobs.control.add_fault("status", status=status, **POST, count=1)
    run = starter.start(jobs.instant)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert starter.pauses == list(SEARCH_DELAYS)
    assert sum(starter.pauses) == 180
    first, second = (each["instant"] for each in jobs.asked("POST", "/run/"))
    assert second - first >= 180e6
    assert len(jobs.asked("GET", "/runs/?")) == len(SEARCH_DELAYS)


def test_what_never_starts_is_asked_for_three_times(starter, jobs):
    jobs.control.add_fault("status", **POST)
    with pytest.raises(ServerError):
        starter.start(jobs.instant)
    assert (posts(jobs), jobs.runs()) == (3, [])


def test_looks_that_fail_for_a_while_are_lived_through(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST, count=1)
    jobs.control.add_fault("status", status=503, **LISTS, count=30)
    run = starter.start(jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert posts(jobs) == 1


@pytest.mark.parametrize("status", [503, 403])
def test_where_looks_fail_for_good_no_second_run_is_asked_for_and_the_mark_is_told(starter, jobs, status):
    jobs.control.add_fault("status", after_acting=True, **POST)
    jobs.control.add_fault("status", status=status, **LISTS)
    with pytest.raises(AmbiguousStart, match="whose cause contains") as unclear:
        starter.start(jobs.endless)
    assert unclear.value.marker == str(starter.mark)
    assert f"'{starter.mark}'" in str(unclear.value)
    assert posts(jobs) == 1


def test_searches_that_fail_are_repeated_with_growing_pauses_for_five_minutes(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST)
    jobs.control.add_fault("status", status=503, **LISTS)
    with pytest.raises(AmbiguousStart, match=r"The search for the run failed as well: .*503"):
        starter.start(jobs.endless, retry=NO_RETRY)
    assert starter.pauses == [1, 1, 2, 4, 8, 16, *[30] * 9]
    assert len(jobs.asked("GET", "/runs/?")) == len(starter.pauses)


def test_a_refusal_is_believed_at_once(starter, jobs):
    with pytest.raises(BadRequest):
        starter.carry_out(
            start_run(
                "1",
                jobs.instant,
                {"cause": starter.mark.add_to("x"), "threads_override": "many"},
            )
        )
    assert (posts(jobs), starter.pauses) == (1, [])


def test_a_second_request_that_is_refused_is_the_last(starter, jobs):
    jobs.control.add_fault("status", **POST, count=1)
    jobs.control.add_fault("status", status=400, **POST)
    with pytest.raises(BadRequest):
        starter.start(jobs.instant)
    assert (posts(jobs), starter.pauses) == (2, [*SEARCH_DELAYS, *SEARCH_DELAYS])


def test_a_search_that_is_refused_is_not_repeated(starter, jobs):
    jobs.control.add_fault("status", after_acting=True, **POST)
    jobs.control.add_fault("status", status=403, **LISTS)
    with pytest.raises(AmbiguousStart, match=r"The search for the run failed as well: .*403"):
        starter.start(jobs.endless)
    assert starter.pauses == [1]


LIMITED = [
    (None, [60, 30, 30, 30, 30]),
    (7, [7, 3, 10, 10, 15, 15, 30, 30, 30, 30]),
    (1000, [300]),
]


@pytest.mark.parametrize(("retry_after", "pauses"), LIMITED)
def test_after_a_429_the_run_is_searched_for_until_three_minutes_have_passed(
    starter, jobs, raw_server, access, retry_after, pauses
):
    """The first search comes when dbt Cloud answers again, which is after five minutes at most."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    refusals = [answer({}, 429, headers)]

    def reply(request):
        if request.method == "GET":
            return answer(envelope([], total=0))
        return refusals.pop() if refusals else answer(envelope({"id": 1, "status": 1}))

    raw_server.reply = reply
    starter.credentials = access(raw_server.url)
    assert starter.start(jobs.instant, retry=NO_RETRY).id == 1
    assert starter.pauses == pauses


def test_a_429_that_stays_ends_the_start_after_ten_requests(starter, jobs):
    jobs.control.add_fault("status", status=429, **POST)
    with pytest.raises(RateLimited):
        starter.start(jobs.instant, retry=NO_RETRY)
    assert posts(jobs) == 10


def test_a_run_that_was_started_in_spite_of_a_429_is_found(starter, jobs):
    jobs.control.add_fault("status", status=429, after_acting=True, **POST, count=1)
    run = starter.start(jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert (posts(jobs), starter.pauses) == (1, [60])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422])
def test_a_run_that_was_started_in_spite_of_a_refusal_is_found_at_once(starter, jobs, status):
    jobs.control.add_fault("status", status=status, after_acting=True, **POST, count=1)
    run = starter.start(jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert (posts(jobs), starter.pauses) == (1, [])


def test_a_token_that_is_replaced_meanwhile_is_used_after_the_search(starter, jobs):
    jobs.control.add_fault("status", status=401, **POST, count=1)
    run = starter.start(jobs.instant)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert sum(starter.pauses) == 180


def test_a_token_that_is_refused_everywhere_is_an_error_at_once(starter, jobs):
    jobs.control.add_fault("status", status=401)
    with pytest.raises(Unauthorized):
        starter.start(jobs.instant)
    assert (posts(jobs), starter.pauses) == (1, [])


@pytest.mark.parametrize(("seconds", "pauses"), [(12, [1, 4, 5, 2]), (0, [0])])
def test_the_search_ends_with_the_time_that_is_left(starter, jobs, seconds, pauses):
    jobs.control.add_fault("status", **POST)
    payload = {"cause": starter.mark.add_to("A test")}
    call = start_run("1", jobs.instant, payload, time_left=lambda: seconds - sum(starter.pauses))
    with pytest.raises(AmbiguousStart, match="The timeout ended the search"):
        starter.carry_out(call)
    assert (posts(jobs), starter.pauses) == (1, pauses)


def test_a_request_that_never_left_is_no_reason_to_look(starter, jobs, closed_port, access):
    starter.credentials = access(f"http://127.0.0.1:{closed_port}")
    with pytest.raises(TransportError) as unsent:
        starter.start(jobs.instant)
    assert not unsent.value.sent
    assert jobs.control.requests() == []


@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_no_retry_policy_sends_the_request_twice(starter, jobs, fault):
    jobs.control.add_fault(**fault, **POST, count=1)
    run = starter.start(jobs.endless, retry=RetryPolicy(attempts=9, delay=0))
    assert [each["id"] for each in jobs.runs()] == [run.id]
    first, *others = jobs.asked("POST", "/run/")
    assert all(other["instant"] - first["instant"] >= 180e6 for other in others)


@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_retry_from_failure_is_recognised_by_the_run_that_it_retries(starter, jobs, fault):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    jobs.control.add_fault(**fault, method="POST", route="*/retry/", count=1)
    run = starter.carry_out(start_retry_run("1", jobs.failing, failed))
    assert [each["retrying_run_id"] for each in jobs.runs()] == [None, failed]
    assert run.data["retrying_run_id"] == failed


def test_a_retry_whose_run_cannot_be_searched_for_names_the_run_that_it_retries(starter, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    jobs.control.add_fault("status", after_acting=True, method="POST", route="*/retry/")
    jobs.control.add_fault("status", status=403, **LISTS)
    with pytest.raises(AmbiguousStart, match=f"that retries run {failed}") as unclear:
        starter.carry_out(start_retry_run("1", jobs.failing, failed))
    assert (unclear.value.marker, unclear.value.retried_run_id) == ("", failed)


def test_the_search_ends_where_runs_are_older_than_the_start(starter, jobs):
    jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 250, "age": 90_000, "every": 1}])
    jobs.started(jobs.instant)
    jobs.control.clear_requests()
    found = starter.carry_out(RunSearch("1", jobs.instant, lambda _: True, age=timedelta(minutes=10)).find())
    assert len(found) == 100
    assert len(jobs.asked("GET", "/runs/?")) == 1


def test_a_retry_in_a_list_that_does_not_show_retries_is_unclear(starter, jobs, raw_server, access):
    """The failed run itself, and those before it, are no doubt."""

    def reply(request):
        if request.method == "POST":
            return answer({}, 502)
        rows = [{"id": 9, "status": 3}, {"id": 7, "status": 20}, {"id": 6, "status": 20}]
        return answer(envelope(rows, total=3) if "/runs/?" in request.target else envelope(rows[0]))

    raw_server.reply = reply
    starter.credentials = access(raw_server.url)
    with pytest.raises(AmbiguousStart, match="dbt Cloud does not show what started run 9"):
        starter.carry_out(start_retry_run("1", 5, 7))
    assert sum(each.method == "POST" for each in raw_server.received) == 1


@pytest.mark.parametrize("wrong", ["../1", "Nightly", ""])
def test_a_job_id_that_is_none_is_refused_before_anything_is_sent(starter, jobs, wrong):
    with pytest.raises(InvalidArgument):
        starter.start(wrong)
    assert (jobs.control.requests(), starter.pauses) == ([], [])


def test_a_cause_without_a_mark_is_refused_before_anything_is_sent(starter, jobs):
    with pytest.raises(ValueError, match="has no marker"):
        starter.carry_out(start_run("1", jobs.instant, {"cause": "x"}))
    assert jobs.control.requests() == []


def test_a_retry_that_began_late_stands_in_the_way_of_the_next_request_and_is_found(access, dbt_cloud, jobs):
    """The first request waits somewhere on its way until nobody looks for its run any more."""
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    held = []
    with SyncClient(access(dbt_cloud.url, token=dbt_cloud.token)) as client:

        def send(request):
            if request.method == "POST" and not held:
                held.append(request)
                raise TransportError("The answer was lost", sent=True)
            if request.method == "POST" and len(held) == 1:
                held.append(client.send(held[0]))
            return client.send(request)

        call = start_retry_run("1", jobs.failing, failed)
        run = run_call(call, send, retry=NO_RETRY, sleep=lambda _: None)
    assert [each["id"] for each in jobs.runs()] == [failed, run.id]
    assert [each["status"] for each in jobs.asked("POST", "/retry/")] == [200, 400]

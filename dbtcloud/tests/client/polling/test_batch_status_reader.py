"""Looks at many runs at once, over real sockets, also where dbt Cloud answers otherwise than documented."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from dbtcloud.client.errors import MalformedResponse, NotFound, RateLimited, ServerError
from dbtcloud.client.polling.batch_status_reader import BatchStatusReader, Waiter
from dbtcloud.client.polling.rate_limiter import PollRateLimiter, TokenBucket
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.async_client import AsyncClient
from wires.raw import answer, envelope


@pytest.fixture
def look(dbt_cloud, access):
    """Looks for waiters of these runs, once or several times over one reader; their answers or errors."""

    async def carry_out(runs, known, times, credentials):
        async with AsyncClient(credentials, NO_RETRY) as client:
            reader = BatchStatusReader(client, "1", PollRateLimiter(TokenBucket(1e9, time.monotonic)))
            for _ in range(times):
                loop = asyncio.get_running_loop()
                waiters = [Waiter(run, known, 1.0, loop.time(), loop.create_future()) for run in runs]
                await reader.read(waiters)
                told = [_told(waiter.answer) for waiter in waiters]
            return told

    def once(*runs, known=None, times=1, credentials=None):
        there = credentials or access(dbt_cloud.url, token=dbt_cloud.token)
        return asyncio.run(carry_out(runs, known, times, there))

    return once


def _told(answer):
    if not answer.done():
        return None
    return type(answer.exception()) if answer.exception() else answer.result().status


def test_each_waiter_is_told_of_its_own_run(look, jobs):
    going, ended = jobs.started(jobs.endless), jobs.started(jobs.instant)
    assert look(going, ended, going) == [3, 10, 3]


def test_a_status_that_is_known_is_no_news(look, jobs):
    going, ended = jobs.started(jobs.endless), jobs.started(jobs.instant)
    assert look(going, ended, known=3) == [None, 10]


def test_a_run_that_is_not_listed_is_asked_for_alone(look, jobs):
    assert look(jobs.started(jobs.instant), 999_999) == [10, NotFound]
    assert len(jobs.asked("GET", "/runs/999999/")) == 1


def test_an_error_is_told_to_those_it_concerns(look, jobs):
    runs = jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 150}])["runs"]
    jobs.control.add_fault("status", count=1)
    told = look(*runs)
    assert sorted(map(str, told)) == sorted(
        map(str, [ServerError] * told.count(ServerError) + [10] * told.count(10))
    )
    assert told.count(ServerError) in (50, 100)


@pytest.mark.parametrize("times", [1, 2])
def test_where_ids_are_refused_lists_are_read(look, jobs, times):
    jobs.control.add_fault("refuse_pk__in")
    runs = jobs.control.seed(
        runs=[{"job_id": jobs.endless, "count": 120}, {"job_id": jobs.instant, "count": 30}]
    )["runs"]
    assert look(*runs, times=times) == [3] * 120 + [10] * 30
    assert len(jobs.asked("GET", "pk__in")) == 2
    assert jobs.asked("GET", "/runs/1") == []


def test_once_ids_are_refused_no_further_request_asks_by_ids(look, jobs):
    """Four requests are under way together when the first is refused; five more chunks are left."""
    jobs.control.add_fault("refuse_pk__in")
    runs = jobs.control.seed(runs=[{"job_id": jobs.endless, "count": 900}])["runs"]
    assert look(*runs, times=2) == [3] * 900
    assert len(jobs.asked("GET", "pk__in")) == 4


def test_a_row_without_a_status_fails_the_poll_of_its_run_alone(look, raw_server, access):
    raw_server.replies(answer(envelope([{"id": 7, "status": 3}, {"id": 8}], total=2)))
    assert look(7, 8, credentials=access(raw_server.url)) == [3, MalformedResponse]


@pytest.mark.parametrize("fields", [{"status": [3]}, {"status": 3, "href": 5}, {"status": True}], ids=str)
def test_a_row_with_a_field_of_another_type_fails_the_poll_of_its_run_alone(look, raw_server, access, fields):
    raw_server.reply = answer(envelope([{"id": 7, "status": 3}, {"id": 8, **fields}], total=2))
    assert look(7, 8, known=1, credentials=access(raw_server.url)) == [3, MalformedResponse]


UNREADABLE = [b'{"data":' + b"[" * 1500 + b"]" * 1500 + b"}", b"", b"null", b"{}", b'"ok"', b'{"data": {}}']


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:12]))
def test_an_answer_that_cannot_be_read_fails_the_poll_of_its_runs(look, raw_server, access, body):
    raw_server.replies(answer(body), answer(envelope([{"id": 7, "status": 3}, {"id": 8, "status": 10}])))
    assert look(7, 8, credentials=access(raw_server.url)) == [MalformedResponse, MalformedResponse]
    assert look(7, 8, credentials=access(raw_server.url)) == [3, 10]


def test_two_rows_of_one_run_are_no_answer_and_it_is_asked_for_alone(look, raw_server, access):
    rows = [{"id": 7, "status": 3}, {"id": 7, "status": 10}, {"id": 8, "status": 3}]
    raw_server.replies(answer(envelope(rows)), answer(envelope({"id": 7, "status": 20})))
    assert look(7, 8, credentials=access(raw_server.url)) == [20, 3]


def test_one_row_of_another_run_does_not_end_the_reading_by_ids(look, raw_server, access):
    rows = [{"id": 7, "status": 3}, {"id": 8, "status": 3}, {"id": 999, "status": 3}]
    alone = answer(envelope({"id": 9, "status": 10}))
    raw_server.replies(answer(envelope(rows)), alone, answer(envelope(rows)), alone)
    assert look(7, 8, 9, times=2, credentials=access(raw_server.url)) == [3, 3, 10]
    assert [("pk__in" in each.target) for each in raw_server.received] == [True, False, True, False]


@pytest.mark.parametrize("offset_is_ignored", [True, False])
def test_lists_without_an_end_are_left_and_the_run_is_asked_for_alone(
    look, raw_server, access, offset_is_ignored
):
    def reply(request):
        query = parse_qs(urlsplit(request.target).query)
        if "pk__in" in query:
            return answer(envelope(None), 400)
        if "status__in" not in query:
            return answer(envelope({"id": 7, "status": 3}))
        first = 1000 if offset_is_ignored else 1000 + int(query["offset"][0])
        return answer(envelope([{"id": first + n, "status": 3} for n in range(100)], total=10**9))

    raw_server.reply = reply
    assert look(7, credentials=access(raw_server.url)) == [3]
    # By ids, the active runs, one page of the finished ones, and the run alone.
    assert len(raw_server.received) == (1 + 2 + 1 + 1 if offset_is_ignored else 1 + 100 + 1 + 1)


@pytest.mark.parametrize(("minutes", "pages"), [(4.5, 2), (5.5, 1)])
def test_finished_runs_are_listed_back_to_five_minutes_before_the_last_read(
    look, raw_server, access, minutes, pages
):
    """Only the last row of the first page is older than the others."""
    now = datetime.now(UTC)
    times = [now] * 99 + [now - timedelta(minutes=minutes)]
    page = [{"id": n, "status": 10, "finished_at": str(time)} for n, time in enumerate(times, start=1000)]

    def reply(request):
        query = parse_qs(urlsplit(request.target).query)
        if "pk__in" in query:
            return answer(envelope(None), 400)
        if "status__in" not in query:
            return answer(envelope({"id": 7, "status": 3}))
        is_first_page = query["status__in"] == ["[10,20,30]"] and query["offset"] == ["0"]
        return answer(envelope(page if is_first_page else []))

    raw_server.reply = reply
    assert look(7, times=2, credentials=access(raw_server.url)) == [3]
    lists = [each for each in raw_server.received if "finished_at" in each.target]
    assert len(lists) == 1 + pages


@pytest.mark.parametrize("alone", [False, True])
def test_an_error_of_a_list_or_of_a_run_alone_goes_to_those_who_wait_for_it(look, jobs, alone):
    jobs.control.add_fault("refuse_pk__in")
    run = jobs.started(jobs.endless)
    jobs.control.add_fault("status", status=500, route="*/runs/999999/" if alone else "*/runs/", method="GET")
    assert look(run, 999_999) == ([3, ServerError] if alone else [ServerError, ServerError])


async def test_after_twenty_runs_those_who_woke_come_before_the_next(dbt_cloud, access, jobs):
    runs = jobs.control.seed(runs=[{"job_id": jobs.endless, "count": 45}])["runs"]
    loop, awake = asyncio.get_running_loop(), []
    waiters = [Waiter(run, None, 1.0, loop.time(), loop.create_future()) for run in runs]
    for waiter in waiters:
        waiter.answer.add_done_callback(lambda _: awake.append(sum(each.answer.done() for each in waiters)))
    async with AsyncClient(access(dbt_cloud.url, token=dbt_cloud.token), NO_RETRY) as client:
        await BatchStatusReader(client, "1", PollRateLimiter(TokenBucket(1e9, time.monotonic))).read(waiters)
    assert awake == [20] * 20 + [40] * 20 + [45] * 5


@pytest.mark.parametrize(
    "row", [{"status": 3}, {"id": None, "status": 3}, {"id": [8]}, {"id": True}, None, "8"], ids=str
)
def test_a_row_without_an_id_is_no_row(look, raw_server, access, row):
    raw_server.replies(
        answer(envelope([{"id": 7, "status": 3}, row], total=2)), answer(envelope({"id": 8, "status": 10}))
    )
    assert look(7, 8, credentials=access(raw_server.url)) == [3, 10]
    assert raw_server.received[-1].target.partition("?")[0].endswith("/runs/8/")


def test_what_lists_lack_is_asked_for_alone(look, jobs):
    jobs.control.add_fault("refuse_pk__in")
    old = jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 150, "age": 9_000, "every": 60}])["runs"]
    assert look(old[0], old[-1], 999_999) == [10, 10, NotFound]
    assert len(jobs.asked("GET", f"/runs/{old[0]}/")) == 1
    assert jobs.asked("GET", f"/runs/{old[-1]}/") == []


def test_ids_that_are_ignored_count_as_refused(look, raw_server, access):
    """A filter that is not heeded gives the first runs of the account, whichever these are."""
    others = [{"id": 1000 + n, "status": 3} for n in range(100)]

    def reply(request):
        query = parse_qs(urlsplit(request.target).query)
        if "pk__in" in query:
            return answer(envelope(others, total=900))
        active = query["status__in"] == ["[1,2,3]"]
        return answer(envelope([{"id": 7, "status": 3}] if active else [{"id": 8, "status": 10}], total=1))

    raw_server.reply = reply
    assert look(7, 8, times=3, credentials=access(raw_server.url)) == [3, 10]
    assert [each.target for each in raw_server.received if "/runs/?" not in each.target] == []
    assert len([each for each in raw_server.received if "pk__in" in each.target]) == 1


def test_a_429_is_told_and_holds_up_all_that_follows(look, jobs):
    run = jobs.started(jobs.instant)
    jobs.control.add_fault("status", status=429, retry_after=0.3, count=1)
    begin = time.monotonic()
    assert look(run, times=1) == [RateLimited]
    jobs.control.clear_faults()
    jobs.control.add_fault("status", status=429, retry_after=1, count=1)
    assert look(run, times=2) == [10]
    assert time.monotonic() - begin >= 1

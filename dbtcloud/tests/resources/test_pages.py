"""Lists are read as far as somebody iterates over them, in both faces, and by many threads at once."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dbtcloud import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.errors import ClientClosed, InvalidArgument, WriteRefused
from wires.raw import Received, answer, envelope, refusal

ROWS = 1000
TOKEN = "dbtc_a-token-for-tests"


def page(request: Received, moved: int = 0) -> bytes:
    """A page of a list whose rows have moved on by some places."""
    query = {name: int(value) for name, (value,) in parse_qs(urlsplit(request.target).query).items()}
    end = min(query["offset"] + query["limit"], ROWS + moved)
    rows = [{"id": number - moved, "name": ""} for number in range(query["offset"], end)]
    return answer(envelope(rows, total=ROWS + moved))


@pytest.fixture
def many(raw_server):
    """A dbt Cloud with a thousand jobs."""
    raw_server.reply = page
    return raw_server


def client_of(server: Any, kind: Callable[..., Any] = DbtCloudClient, **options: Any) -> Any:
    return kind(TOKEN, 1, server.url, **options)


def test_the_first_object_takes_one_request_for_one_row(face, many):
    assert face.ask(many, lambda client: client.jobs.list().first()).id == 0
    assert [each.target.partition("?")[2] for each in many.received] == ["limit=1&offset=0"]


def test_the_total_is_that_of_the_list_whatever_the_limit(face, many):
    assert face.ask(many, lambda client: client.jobs.list(limit=3).total) == ROWS
    assert len(many.received) == 1


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (3, 1), (100, 1), (250, 3), (5000, 10)])
def test_a_limit_ends_the_list(face, many, limit, requests):
    found = face.ask(many, lambda client: client.jobs.list(limit=limit))
    assert [job.id for job in found] == list(range(min(limit, ROWS)))
    assert len(many.received) == requests


def test_a_row_that_moves_to_a_later_page_comes_once(face, many):
    # A job is added in front once the first page has been read.
    many.reply = lambda request: page(request, 0 if "offset=0" in request.target else 1)
    ids = [job.id for job in face.ask(many, lambda client: client.jobs.list())]
    assert ids == list(range(ROWS))


def test_three_of_a_thousand_objects_take_one_request(many):
    async def read() -> list[int]:
        async with (
            client_of(many, AsyncDbtCloudClient) as client,
            aclosing(aiter(client.jobs.list())) as jobs,
        ):
            return [(await anext(jobs)).id for _ in range(3)]

    with client_of(many) as client:
        jobs = iter(client.jobs.list())
        assert [next(jobs).id for _ in range(3)] == [0, 1, 2]
    assert asyncio.run(read()) == [0, 1, 2]
    assert len(many.received) == 2


def test_pages_after_the_first_are_read_at_the_same_time(face, many):
    together = threading.Barrier(3)

    def reply(request: Received) -> bytes:
        if int(parse_qs(urlsplit(request.target).query)["offset"][0]) in {100, 200, 300}:
            together.wait(10)
        return page(request)

    many.reply = reply
    assert len(face.ask(many, lambda client: client.jobs.list().all())) == ROWS


def test_eight_threads_share_a_client(many):
    with client_of(many) as client, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: [job.id for job in client.jobs.list(limit=250)], range(16)))
    assert found == [list(range(250))] * 16


def test_attempts_are_counted_for_each_request_although_many_are_under_way(face, many):
    failed: set[str] = set()
    events: list[Any] = []

    def reply(request: Received) -> bytes:
        if request.target in failed:
            return page(request)
        failed.add(request.target)
        return refusal(503, "busy")

    many.reply = reply
    assert len(face.ask(many, lambda client: client.jobs.list().all(), on_response=events.append)) == ROWS
    assert sorted((each.attempt, each.status) for each in events) == [(1, 503)] * 10 + [(2, 200)] * 10
    assert TOKEN not in repr(events)


def test_a_closed_client_sends_nothing(many):
    async def use() -> None:
        client = client_of(many, AsyncDbtCloudClient)
        await client.close()
        with pytest.raises(ClientClosed):
            await client.jobs.list().all()

    client = client_of(many)
    client.close()
    with pytest.raises(ClientClosed):
        client.jobs.list().all()
    asyncio.run(use())
    assert many.received == []


def test_another_event_loop_is_named(many):
    client = client_of(many, AsyncDbtCloudClient)
    with asyncio.Runner() as first, asyncio.Runner() as other:
        first.run(client.jobs.list().first())
        with pytest.raises(InvalidArgument, match="belongs to another event loop"):
            other.run(client.jobs.list().first())
        first.run(client.close())


def test_a_read_only_client_reads_and_refuses_each_write(face, many, monkeypatch):
    monkeypatch.setenv("DBT_CLOUD_READONLY", "1")
    assert face.ask(many, lambda client: client.jobs.list(limit=1))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(WriteRefused, match=f"{method} /api/v2/accounts/1/steps/4/ was not sent"):
            face.ask(many, lambda client, method=method: client.request(method, "steps/4/"))
    assert len(many.received) == 1

"""Reads many runs with few requests, and wakes those who wait for a change of their status."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dbtcloud.client import endpoints
from dbtcloud.client.errors import BadRequest, DbtCloudError, MalformedResponse, RateLimited, Unprocessable
from dbtcloud.client.models import Json, Run
from dbtcloud.client.paging import PAGE_SIZE, rows_of
from dbtcloud.client.polling.rate_limiter import PollRateLimiter
from dbtcloud.client.protocol import Call, Id, Request, Response, T
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.run_status import FINISHED, UNFINISHED
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.typed_json import TypedFields

# The times in the list of finished runs are the server's, and its clock may differ from ours.
_OVERLAP = timedelta(minutes=5)

# Each answer holds a hundred runs in memory.
_CONCURRENT_REQUESTS = 4

# Runs beyond the first ten thousand of a list are read alone.
_MAX_LIST_PAGES = 100

# Each waiter that wakes runs its own code, which delays everything else in the event loop.
_WAKE_UPS_PER_TURN = 20


@dataclass(eq=False, slots=True)
class Waiter:
    """A wait for a run's status to change.

    Attributes:
        run_id: The run.
        known: The status code that is known already, or None.
        interval: Seconds between two polls.
        due: When the next poll is due, by the event loop's clock.
        answer: Gets the run when its status has changed, or the error.
    """

    run_id: int
    known: int | None
    interval: float
    due: float
    answer: asyncio.Future[Run] = field(repr=False)

    def update(self, row: Json) -> None:
        """Wake the waiter if the status in a row is new.

        A row without a status, or with a field of another type, wakes it with an error.
        """
        if self.answer.done():
            return
        try:
            fields = TypedFields(row, "a run")
            status, href = fields.required_integer("status"), fields.text("href")
        except DbtCloudError as error:
            self.answer.set_exception(error)
        else:
            if status != self.known:
                self.answer.set_result(Run(id=self.run_id, status=status, href=href))

    def fail(self, error: Exception | None) -> None:
        """Wake the waiter with an error, or cancel it if that is None."""
        if error is None:
            self.answer.cancel()
        elif not self.answer.done():
            self.answer.set_exception(error)


_Waiters = Mapping[int, list[Waiter]]


class BatchStatusReader:
    """Reads runs of an account, a hundred with one request.

    Where `pk__in` is refused it reads the lists of active and of finished runs instead. A run that is in
    neither is asked for alone.

    Args:
        client: The client for the account.
        account_id: The account.
        rate_limiter: Decides when a request may be sent.
    """

    def __init__(self, client: AsyncClient, account_id: Id, rate_limiter: PollRateLimiter) -> None:
        self._client, self._account_id, self._rate_limiter = client, account_id, rate_limiter
        self._accepts_ids = True
        self._last_read: datetime | None = None

    async def read(self, due: Iterable[Waiter]) -> None:
        """Read the runs of these waiters, and wake each whose status is new or whose read failed."""
        waiters: dict[int, list[Waiter]] = defaultdict(list)
        for waiter in due:
            waiters[waiter.run_id].append(waiter)
        started, ids = datetime.now(UTC), sorted(waiters)
        if self._accepts_ids:
            chunks = (ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE))
            readers = min(_CONCURRENT_REQUESTS, -(-len(ids) // PAGE_SIZE))
            await asyncio.gather(*(self._read_chunks(chunks, waiters) for _ in range(readers)))
        # Not `else`: the requests above may have shown that ids are refused.
        if ids and not self._accepts_ids:
            await self._read_lists(ids, waiters)
        self._last_read = started

    async def _read_chunks(self, chunks: Iterator[Sequence[int]], waiters: _Waiters) -> None:
        """Read one chunk after the other from an iterator that several of these share."""
        for chunk in chunks:
            if self._accepts_ids:
                await self._read_ids(chunk, waiters)

    async def _read_ids(self, ids: Sequence[int], waiters: _Waiters) -> None:
        try:
            found = await self._ask(_read_by_ids(self._account_id, ids))
        except (BadRequest, Unprocessable):
            self._accepts_ids = False
        except DbtCloudError as error:
            _fail(ids, waiters, error)
        else:
            # A server that ignores the filter sends any runs. They must not be taken for an answer.
            foreign = found.keys() - set(ids)
            self._accepts_ids = self._accepts_ids and len(foreign) <= len(found) / 2
            if self._accepts_ids:
                await self._wake(ids, waiters, found)

    async def _read_lists(self, ids: Sequence[int], waiters: _Waiters) -> None:
        since = self._last_read and self._last_read - _OVERLAP
        try:
            found = await self._ask(_read_by_lists(self._account_id, ids, since))
        except DbtCloudError as error:
            _fail(ids, waiters, error)
        else:
            await self._wake(ids, waiters, found)

    async def _read_alone(self, run_id: int, waiters: _Waiters) -> None:
        """Read a run that the lists lack: deleted, not yet listed, or not visible to this token."""
        try:
            found = await self._ask(_read_one(self._account_id, run_id))
        except DbtCloudError as error:
            _fail([run_id], waiters, error)
        else:
            await self._wake([run_id], waiters, found)

    async def _wake(self, ids: Sequence[int], waiters: _Waiters, found: Mapping[int, Json]) -> None:
        for count, run_id in enumerate(ids, start=1):
            if run_id in found:
                for waiter in waiters[run_id]:
                    waiter.update(found[run_id])
            if count % _WAKE_UPS_PER_TURN == 0:
                await asyncio.sleep(0)  # let those who woke run before the next ones wake
        if missing := [run_id for run_id in ids if run_id not in found]:
            await asyncio.gather(*(self._read_alone(run_id, waiters) for run_id in missing))

    async def _ask(self, call: Call[T]) -> T:
        try:
            answer = await run_call_async(call, self._send, retry=NO_RETRY)
        except RateLimited as error:
            self._rate_limiter.back_off(error)
            raise
        self._rate_limiter.reset()
        return answer

    async def _send(self, request: Request) -> Response:
        await self._rate_limiter.acquire()
        return await self._client.send(request)


def _fail(ids: Iterable[int], waiters: _Waiters, error: Exception) -> None:
    for run_id in ids:
        for waiter in waiters[run_id]:
            waiter.fail(error)


# The rows stay as dbt Cloud sent them: a poll needs two or three of their fields, and parsing thousands of
# whole rows every few seconds would cost more than all the rest.


def _read_by_ids(account_id: Id, run_ids: Collection[int]) -> Call[dict[int, Json]]:
    """Return up to 100 runs by their ids, with one request.

    Some may be missing. The filter `pk__in` is documented since September 2024 (v2 "List Runs").
    """
    return _by_id((yield from _read_page(account_id, pk__in=sorted(run_ids))))


def _read_by_lists(
    account_id: Id, run_ids: Collection[int], finished_since: datetime | None
) -> Call[dict[int, Json]]:
    """Return runs from the list of active ones, then from that of finished ones.

    Some may be missing.

    Args:
        account_id: The account.
        run_ids: The runs that are wanted.
        finished_since: The list of finished runs is read back to here; one page of it if None.
    """
    wanted = frozenset(run_ids)
    active = {"status__in": sorted(map(int, UNFINISHED)), "order_by": "id"}
    found = yield from _find_in_list(account_id, wanted, active)
    finished = {"status__in": sorted(map(int, FINISHED)), "order_by": "-finished_at"}

    def is_last(page: Sequence[Json]) -> bool:
        return finished_since is None or _is_before(page[-1], finished_since)

    return {**(yield from _find_in_list(account_id, wanted - found.keys(), finished, is_last)), **found}


def _find_in_list(
    account_id: Id,
    wanted: frozenset[int],
    filters: Json,
    is_last: Callable[[Sequence[Json]], bool] = lambda _: False,
) -> Call[dict[int, Json]]:
    """Return those of the wanted runs that a list has, with a bounded number of requests."""
    found: dict[int, Json] = {}
    seen: set[int] = set()
    for offset in range(0, _MAX_LIST_PAGES * PAGE_SIZE, PAGE_SIZE):
        if not wanted - found.keys():
            break
        page = yield from _read_page(account_id, offset=offset, **filters)
        rows = _by_id(page)
        found.update({run_id: row for run_id, row in rows.items() if run_id in wanted})
        # A server that ignores the offset sends the same page again and again.
        if len(page) < PAGE_SIZE or rows.keys() <= seen or is_last(page):
            break
        seen |= rows.keys()
    return found


def _read_one(account_id: Id, run_id: int) -> Call[dict[int, Json]]:
    """Return one run, with a request of its own."""
    run = yield from endpoints.get_run(account_id, run_id)
    return {run_id: run.data}


def _read_page(account_id: Id, **filters: object) -> Call[list[Json]]:
    query = {"limit": PAGE_SIZE, **filters}
    return rows_of((yield from endpoints.get_data(Request.get(account_id, "runs", query=query))))


def _by_id(rows: Iterable[Json]) -> dict[int, Json]:
    """Return the rows by id.

    Rows without an id, and several with the same id, are left out: their runs are then asked for alone.
    """
    by_id: dict[int, list[Json]] = defaultdict(list)
    for row in rows:
        with suppress(MalformedResponse):
            by_id[TypedFields(row, "a run").required_integer("id")].append(row)
    return {run_id: same[0] for run_id, same in by_id.items() if len(same) == 1}


def _is_before(row: Json, instant: datetime) -> bool:
    with suppress(MalformedResponse):
        finished_at = TypedFields(row, "a run").time("finished_at")
        return finished_at is not None and finished_at < instant
    return False

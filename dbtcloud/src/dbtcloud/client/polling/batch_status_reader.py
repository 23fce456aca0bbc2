"""Looks at many runs at once and tells those who wait for them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import BadRequest, DbtCloudError, RateLimited, Unprocessable
from dbtcloud.client.models import Run
from dbtcloud.client.paging import PAGE_SIZE
from dbtcloud.client.polling import status_queries
from dbtcloud.client.polling.rate_limiter import Pacing
from dbtcloud.client.protocol import Call, Request, Response, T
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async

OVERLAP = timedelta(minutes=5)
"""How far back the list of finished runs is read beyond the last look: its times are the server's."""


ABREAST = 4
"""Requests that are under way together; each answer holds a hundred runs in memory."""

BREATH = 20
"""Runs that are told of at once: what is done in one turn of the event loop holds up all others."""


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who waits for a run's status to become another than the one they know.

    Attributes:
        run_id: The run.
        known: The status code they know, or None.
        interval: Seconds between two looks.
        due: When the next look is due, by the event loop's clock.
        answer: Set with the run when its status has changed, or with what went wrong.
    """

    run_id: int
    known: int | None
    interval: float
    due: float
    answer: asyncio.Future[Run] = field(repr=False)

    def tell(self, run: Run) -> None:
        """Hand over a run whose status is new; with any other the waiting goes on."""
        if run.status != self.known and not self.answer.done():
            self.answer.set_result(run)

    def disappoint(self, error: Exception | None) -> None:
        """Hand over what went wrong; None cancels the waiting."""
        if error is None:
            self.answer.cancel()
        elif not self.answer.done():
            self.answer.set_exception(error)


class BatchStatusReader:
    """Reads the runs of an account, a hundred with one request.

    Where `pk__in` is refused it reads the lists of active and of finished runs instead; a run that is in
    neither is asked for alone.

    Args:
        client: Speaks to the account.
        account_id: The account.
        pacing: When requests may be sent.
    """

    def __init__(self, client: AsyncClient, account_id: Id, pacing: Pacing) -> None:
        self._client, self._account_id, self._pacing = client, account_id, pacing
        self._takes_ids = True
        self._looked_at: datetime | None = None

    async def look(self, due: Iterable[Waiter]) -> None:
        """Read the runs of these waiters, and tell each of them what is new or what went wrong."""
        waiters: dict[int, list[Waiter]] = defaultdict(list)
        for waiter in due:
            waiters[waiter.run_id].append(waiter)
        started, ids = datetime.now(UTC), sorted(waiters)
        if self._takes_ids:
            chunks = (ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE))
            await asyncio.gather(*(self._look_at_chunks(chunks, waiters) for _ in range(ABREAST)))
        if ids and not self._takes_ids:
            await self._look_at_lists(ids, waiters)
        self._looked_at = started

    async def _look_at_chunks(
        self, chunks: Iterator[Sequence[int]], waiters: Mapping[int, list[Waiter]]
    ) -> None:
        """Look at one chunk after the other, which are shared with others that do the same."""
        for chunk in chunks:
            if self._takes_ids:
                await self._look_at_ids(chunk, waiters)

    async def _look_at_ids(self, ids: Sequence[int], waiters: Mapping[int, list[Waiter]]) -> None:
        try:
            found = await self._ask(status_queries.by_ids(self._account_id, ids))
        except (BadRequest, Unprocessable):
            self._takes_ids = False
        except DbtCloudError as error:
            _disappoint(ids, waiters, error)
        else:
            self._takes_ids = self._takes_ids and found.keys() <= set(ids)  # or the filter was not heeded
            if self._takes_ids:
                await self._tell(ids, waiters, found)

    async def _look_at_lists(self, ids: Sequence[int], waiters: Mapping[int, list[Waiter]]) -> None:
        since = self._looked_at and self._looked_at - OVERLAP
        try:
            found = await self._ask(status_queries.by_lists(self._account_id, ids, since))
        except DbtCloudError as error:
            _disappoint(ids, waiters, error)
        else:
            await self._tell(ids, waiters, found)

    async def _look_alone(self, run_id: int, waiters: Mapping[int, list[Waiter]]) -> None:
        """Ask for a run that the lists lack: deleted, not yet listed, or not for this token to see."""
        try:
            found = await self._ask(status_queries.one_by_one(self._account_id, run_id))
        except DbtCloudError as error:
            _disappoint([run_id], waiters, error)
        else:
            await self._tell([run_id], waiters, found)

    async def _tell(
        self, ids: Sequence[int], waiters: Mapping[int, list[Waiter]], found: Mapping[int, Run]
    ) -> None:
        for place, run_id in enumerate(ids):
            if run_id in found:
                for waiter in waiters[run_id]:
                    waiter.tell(found[run_id])
            if place % BREATH == BREATH - 1:
                await asyncio.sleep(0)  # those who were told go on before the next ones are
        await asyncio.gather(*(self._look_alone(run_id, waiters) for run_id in ids if run_id not in found))

    async def _ask(self, call: Call[T]) -> T:
        try:
            answer = await run_call_async(call, self._send, retry=NO_RETRY)
        except RateLimited as error:
            self._pacing.refused(error)
            raise
        self._pacing.answered()
        return answer

    async def _send(self, request: Request) -> Response:
        await self._pacing.turn()
        return await self._client.send(request)


def _disappoint(ids: Iterable[int], waiters: Mapping[int, list[Waiter]], error: Exception) -> None:
    for run_id in ids:
        for waiter in waiters[run_id]:
            waiter.disappoint(error)

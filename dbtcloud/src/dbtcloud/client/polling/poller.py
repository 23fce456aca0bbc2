"""One poll loop for every run that anybody in this process waits for."""

from __future__ import annotations

import asyncio
import contextvars
import math
import random
from collections.abc import Callable
from contextlib import suppress

from dbtcloud.client.endpoints import Id
from dbtcloud.client.models import Run
from dbtcloud.client.polling.batch_status_reader import BatchStatusReader, Waiter
from dbtcloud.client.polling.rate_limiter import Pacing
from dbtcloud.client.polling.token_bucket import Bucket
from dbtcloud.client.protocol import Call, Request, Response, T
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.credentials import Credentials

REQUESTS_PER_MINUTE = 2000
"""What polling takes of an account's 5,000 requests a minute (dbt Cloud: "API rate limits")."""

CONNECTIONS = 4

LINGER = 1.0
"""Seconds that a poller without waiters keeps its connections: a waiter often comes back at once."""

AT_ONCE = 0.2
"""Seconds between two ticks where somebody wants to know at once: who comes together is served together."""

JITTER = 0.9
"""The least part of an interval that passes between two ticks; the rest is chance, to spread processes."""


class RunPoller:
    """Asks for the runs of all its waiters together, at the smallest interval that one of them asked for.

    It belongs to one event loop. Its task starts with the first waiter, in an empty context, so that no
    waiter's log is written to on behalf of others; it ends with the last.

    Args:
        credentials: The account and the token.
        account_id: The account that is asked.
        bucket: Bounds the requests of all pollers of the account.
    """

    def __init__(self, credentials: Credentials, account_id: Id, bucket: Bucket) -> None:
        self.credentials, self.account_id = credentials, account_id
        self._pacing = Pacing(bucket)
        self._waiters: set[Waiter] = set()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._client: AsyncClient | None = None
        self._first_due, self._interval, self._ticked = math.inf, math.inf, 0.0
        self._hurried = False

    @property
    def idle(self) -> bool:
        """Whether nobody waits and nothing is kept open."""
        return self._task is None

    async def changed(self, run_id: int, known: int | None, interval: float, *, at_once: bool = False) -> Run:
        """Wait until the run's status is another than `known`, and return the run.

        Args:
            run_id: The run.
            known: The status code last seen, or None to be told the present one.
            interval: Seconds between two looks.
            at_once: Whether the first look does not wait for the next tick.

        Raises:
            DbtCloudError: If a look at this run failed; wait again to go on.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + (0.0 if known is None else interval)
        waiter = Waiter(run_id, known, interval, due, loop.create_future())
        self._hurried |= at_once
        self._join(waiter, loop)
        try:
            return await waiter.answer
        finally:
            self._leave(waiter, loop)

    async def ask(self, call: Call[T], on_response: Callable[[Response], object] = bool) -> T:
        """Carry out a call, each request once, over the connections and within the bounds of the looks.

        Raises:
            LookupError: If nothing is kept open.
            DbtCloudError: As the call says.
        """
        client, task = self._client, self._task
        if client is None or task is None or task.get_loop() is not asyncio.get_running_loop():
            raise LookupError("Nobody waits here, so no connection is kept.")

        async def send(request: Request) -> Response:
            await self._pacing.turn()
            return await client.send(request)

        return await run_call_async(call, send, retry=NO_RETRY, on_response=on_response)

    def _join(self, waiter: Waiter, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters.add(waiter)
        self._first_due = min(self._first_due, waiter.due)
        self._interval = min(self._interval, waiter.interval)
        self._arrived.set()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(), name="dbt Cloud poller", context=contextvars.Context())

    def _leave(self, waiter: Waiter, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters.discard(waiter)
        if not self._waiters and self._task is not None:
            loop.call_later(LINGER, self._end_if_deserted, self._task)

    def _end_if_deserted(self, task: asyncio.Task[None]) -> None:
        """End the task, whatever it is doing; who comes while it closes its connections starts a new one."""
        if not self._waiters and self._task is task:
            self._task = None
            task.cancel()

    async def _run(self) -> None:
        """Tick for as long as somebody waits; a fault of our own is told to all rather than kept."""
        try:
            async with AsyncClient(self.credentials, NO_RETRY, connections=CONNECTIONS) as client:
                await self._look_on(client)
        except Exception as error:  # noqa: BLE001 -- nobody may wait for a task that is gone
            self._give_up(error)
        except asyncio.CancelledError:
            self._give_up(None)
            raise

    async def _look_on(self, client: AsyncClient) -> None:
        lookout = BatchStatusReader(client, self.account_id, self._pacing)
        self._client = client
        try:
            while True:
                await self._until_due()
                await self._tick(lookout)
        finally:
            if self._client is client:  # another task may have begun meanwhile
                self._client = None

    def _give_up(self, error: Exception | None) -> None:
        """Tell those who wait for this task, and not for another, of an error; None cancels their waiting."""
        if self._task is asyncio.current_task():
            self._task = None
            for waiter in self._waiters:
                waiter.disappoint(error)

    async def _until_due(self) -> None:
        """Sleep until the first waiter is due, but not sooner than an interval after the last tick."""
        loop = asyncio.get_running_loop()
        spread = random.uniform(JITTER, 1.0)  # noqa: S311 -- spreads processes, guards nothing
        while (pause := self._next_tick(spread) - loop.time()) > 0:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), min(pause, 3600.0))

    def _next_tick(self, spread: float) -> float:
        pause = min(AT_ONCE, self._interval) if self._hurried else self._interval * spread
        return max(self._first_due, self._ticked + pause, self._pacing.quiet_until)

    async def _tick(self, lookout: BatchStatusReader) -> None:
        """Look for the waiters whose turn it is; those whose turn comes within half a tick go along."""
        loop = asyncio.get_running_loop()
        self._ticked, self._hurried = loop.time(), False
        due = [waiter for waiter in self._waiters if waiter.due <= self._ticked + self._interval / 2]
        await lookout.look(due)
        for waiter in due:
            waiter.due = loop.time() + waiter.interval * JITTER
        self._first_due = min((waiter.due for waiter in self._waiters), default=math.inf)
        self._interval = min((waiter.interval for waiter in self._waiters), default=math.inf)

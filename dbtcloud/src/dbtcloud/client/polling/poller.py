"""One poll loop for all waits of a process for runs of one account."""

from __future__ import annotations

import asyncio
import contextvars
import math
import random
from collections.abc import Callable
from contextlib import suppress

from dbtcloud.client.models import Run
from dbtcloud.client.polling.batch_status_reader import BatchStatusReader, Waiter
from dbtcloud.client.polling.rate_limiter import PollRateLimiter, TokenBucket
from dbtcloud.client.protocol import Call, Id, Request, Response, T
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.credentials import Credentials

REQUESTS_PER_MINUTE = 2000
"""What polling takes of an account's 5,000 requests a minute (dbt Cloud: "API rate limits")."""

CONNECTIONS = 4
"""How many connections a poller keeps open at most."""

LINGER = 1.0
"""Seconds that a poller without waiters keeps its connections: a waiter often comes back at once."""

# Seconds between two polls where somebody wants an answer at once: those who come together share a poll.
_AT_ONCE = 0.2

# The smallest part of an interval between two polls. The rest is random, so that processes spread.
_JITTER = 0.9


class RunPoller:
    """Polls the runs of all its waiters together, at the smallest interval that one of them asked for.

    It belongs to one event loop. Its task starts with the first waiter and ends with the last.

    Args:
        credentials: The token and the address.
        account_id: The account.
        bucket: Bounds the requests of all pollers of the account.
    """

    def __init__(self, credentials: Credentials, account_id: Id, bucket: TokenBucket) -> None:
        self.credentials, self.account_id = credentials, account_id
        self._rate_limiter = PollRateLimiter(bucket)
        self._waiters: set[Waiter] = set()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._client: AsyncClient | None = None
        self._first_due, self._interval, self._polled_at = math.inf, math.inf, 0.0
        self._at_once = False

    @property
    def idle(self) -> bool:
        """Return whether nobody waits and no connection is open."""
        return self._task is None

    async def next_change(
        self, run_id: int, known: int | None, interval: float, *, at_once: bool = False
    ) -> Run:
        """Wait until a run's status differs from `known`, and return the run.

        Args:
            run_id: The run.
            known: The status code last seen; None returns the present one.
            interval: Seconds between two polls.
            at_once: Whether to poll now rather than with the next poll of the others.

        Returns:
            The run with its id, status and href.

        Raises:
            DbtCloudError: If a poll of this run failed. Call again to go on.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + (0.0 if known is None else interval)
        waiter = Waiter(run_id, known, interval, due, loop.create_future())
        self._at_once |= at_once
        self._join(waiter, loop)
        try:
            return await waiter.answer
        finally:
            self._leave(waiter, loop)

    async def ask(self, call: Call[T], on_response: Callable[[Response], object] = bool) -> T:
        """Carry out another call over the connections and within the rate of the polls.

        No request is sent twice.

        Raises:
            LookupError: If no connection is open.
            DbtCloudError: As the call says.
        """
        client, task = self._client, self._task
        if client is None or task is None or task.get_loop() is not asyncio.get_running_loop():
            raise LookupError("Nobody waits here, so no connection is open.")

        async def send(request: Request) -> Response:
            await self._rate_limiter.acquire()
            return await client.send(request)

        return await run_call_async(call, send, retry=NO_RETRY, on_response=on_response)

    def _join(self, waiter: Waiter, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters.add(waiter)
        self._first_due = min(self._first_due, waiter.due)
        self._interval = min(self._interval, waiter.interval)
        self._arrived.set()
        if self._task is None or self._task.done():
            # An empty context: with the first waiter's, everything would be logged into that one's task log.
            self._task = loop.create_task(self._run(), name="dbt Cloud poller", context=contextvars.Context())

    def _leave(self, waiter: Waiter, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters.discard(waiter)
        if not self._waiters and self._task is not None:
            loop.call_later(LINGER, self._end_if_deserted, self._task)

    def _end_if_deserted(self, task: asyncio.Task[None]) -> None:
        """End the task. A waiter that comes while it closes its connections starts a new one."""
        if not self._waiters and self._task is task:
            self._task = None
            task.cancel()

    async def _run(self) -> None:
        """Poll while somebody waits.

        An unexpected error goes to all waiters, who would otherwise hang.
        """
        try:
            async with AsyncClient(self.credentials, NO_RETRY, connections=CONNECTIONS) as client:
                await self._poll_forever(client)
        except Exception as error:  # noqa: BLE001 -- nobody may wait for a task that is gone
            self._fail_waiters(error)
        except asyncio.CancelledError:
            self._fail_waiters(None)
            raise

    async def _poll_forever(self, client: AsyncClient) -> None:
        reader = BatchStatusReader(client, self.account_id, self._rate_limiter)
        self._client = client
        reads: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._sleep_until_due()
                read = self._start_poll(reader)
                reads.add(read)
                read.add_done_callback(reads.discard)
                # A poll that hangs must not hold up the next ones, which are for the other waiters.
                await asyncio.wait([read], timeout=self._interval)
                self._plan()
        finally:
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)
            if self._client is client:  # another task may have begun meanwhile
                self._client = None

    def _fail_waiters(self, error: Exception | None) -> None:
        """Wake those who wait for this task with an error, or cancel them if that is None."""
        # While this task closed its connections, another may have begun: the waiters are that one's then.
        if self._task is asyncio.current_task():
            self._task = None
            for waiter in self._waiters:
                waiter.fail(error)

    async def _sleep_until_due(self) -> None:
        """Sleep until the first waiter is due, but at least an interval after the last poll."""
        loop = asyncio.get_running_loop()
        spread = random.uniform(_JITTER, 1.0)  # noqa: S311 -- spreads processes, guards nothing
        # Each arrival may bring the next poll forward, so the pause is worked out again.
        while (pause := self._next_poll(spread) - loop.time()) > 0:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), min(pause, 3600.0))

    def _next_poll(self, spread: float) -> float:
        pause = min(_AT_ONCE, self._interval) if self._at_once else self._interval * spread
        return max(self._first_due, self._polled_at + pause, self._rate_limiter.quiet_until)

    def _start_poll(self, reader: BatchStatusReader) -> asyncio.Task[None]:
        """Poll for the waiters that are due, and for those that are due within half an interval."""
        loop = asyncio.get_running_loop()
        self._polled_at, self._at_once = loop.time(), False
        latest = self._polled_at + self._interval / 2
        due = [waiter for waiter in self._waiters if waiter.due <= latest]
        for waiter in due:
            waiter.due = math.inf
        return loop.create_task(self._poll(reader, due))

    async def _poll(self, reader: BatchStatusReader, due: list[Waiter]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await reader.read(due)
        except Exception as error:  # noqa: BLE001 -- nobody may wait for a poll that is gone
            for waiter in due:
                waiter.fail(error)
        finally:
            now = loop.time()
            for waiter in due:
                waiter.due = now + waiter.interval * _JITTER
            self._plan()
            self._arrived.set()

    def _plan(self) -> None:
        """Work out when the next poll is due, and the smallest interval."""
        self._first_due = min((waiter.due for waiter in self._waiters), default=math.inf)
        self._interval = min((waiter.interval for waiter in self._waiters), default=math.inf)

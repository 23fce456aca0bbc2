"""One poll loop for every run that anybody in this process waits for."""

from __future__ import annotations

import asyncio
import contextvars
import math
import random

from airflow_dbt_cloud.client.aio import Client
from airflow_dbt_cloud.client.bucket import Bucket
from airflow_dbt_cloud.client.credentials import Credentials
from airflow_dbt_cloud.client.endpoints import Id
from airflow_dbt_cloud.client.lookout import Lookout, Waiter
from airflow_dbt_cloud.client.models import Run
from airflow_dbt_cloud.client.pacing import Pacing
from airflow_dbt_cloud.client.retry import ONCE

REQUESTS_PER_MINUTE = 2000
"""What polling takes of an account's 5,000 requests a minute (dbt Cloud: "API rate limits")."""

CONNECTIONS = 4

LINGER = 1.0
"""Seconds that a poller without waiters keeps its connections: a waiter often comes back at once."""


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
        self._first_due, self._next_tick = math.inf, 0.0

    async def changed(self, run_id: int, known: int | None, interval: float) -> Run:
        """Wait until the run's status is another than `known`, and return the run.

        Args:
            run_id: The run.
            known: The status code last seen, or None to be told the present one.
            interval: Seconds between two looks.

        Raises:
            DbtCloudError: If a look at this run failed; wait again to go on.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + (0.0 if known is None else interval)
        waiter = Waiter(run_id, known, interval, due, loop.create_future())
        self._waiters.add(waiter)
        self._first_due = min(self._first_due, due)
        self._arrived.set()
        self._ensure_running(loop)
        try:
            return await waiter.answer
        finally:
            self._waiters.discard(waiter)

    def _ensure_running(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._task is None or self._task.done():
            empty = contextvars.Context()
            self._task = loop.create_task(self._run(), name="dbt Cloud poller", context=empty)

    async def _run(self) -> None:
        """Tick until there is nobody left to tell; a fault of our own is told to all rather than kept."""
        async with Client(self.credentials, ONCE, connections=CONNECTIONS) as client:
            lookout = Lookout(client, self.account_id, self._pacing)
            try:
                while await self._anybody():
                    await self._until_due()
                    await lookout.look(self._due())
                    self._first_due = min((waiter.due for waiter in self._waiters), default=math.inf)
            except Exception as error:  # noqa: BLE001 -- nobody may wait for a task that is gone
                for waiter in self._waiters:
                    waiter.disappoint(error)
            finally:
                self._task = None  # who comes while the client is closed starts a new one

    async def _anybody(self) -> bool:
        """Whether somebody waits, now or within the time that connections are kept."""
        return bool(self._waiters) or await self._arrival(LINGER)

    async def _until_due(self) -> None:
        """Sleep until the first waiter is due, but not sooner than an interval after the last tick."""
        loop = asyncio.get_running_loop()
        while (pause := max(self._first_due, self._next_tick, self._pacing.quiet_until) - loop.time()) > 0:
            if not self._waiters or not await self._arrival(pause):
                return

    async def _arrival(self, seconds: float) -> bool:
        """Whether a waiter comes within some seconds."""
        self._arrived.clear()
        try:
            await asyncio.wait_for(self._arrived.wait(), min(seconds, 3600.0))
        except TimeoutError:
            return False
        return True

    def _due(self) -> list[Waiter]:
        """The waiters whose turn it is; those whose turn comes within half a tick go along."""
        now = asyncio.get_running_loop().time()
        tick = min((waiter.interval for waiter in self._waiters), default=0.0)
        self._next_tick = now + tick * random.uniform(0.9, 1.0)  # noqa: S311 -- spreads processes, guards nothing
        return [waiter for waiter in self._waiters if waiter.due <= now + tick / 2]

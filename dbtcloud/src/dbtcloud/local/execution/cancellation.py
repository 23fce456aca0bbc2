"""Stop a run early: when it is cancelled, or at the time limit of its job."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Self, TypeVar

from dbtcloud.local.model.clock import SECOND, Duration
from dbtcloud.local.model.records import CANCELLED_BY_USER

_T = TypeVar("_T")


class StopRequest:
    """A request to stop a run.

    Attributes:
        event: Set when the run must stop.
        reason: The ``status_message`` of the run from then on. None before.
    """

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: str | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def watching(cls, cancelled: asyncio.Event, timeout_seconds: int) -> AsyncIterator[Self]:
        """Watch for a cancellation and for the time limit while the context is open.

        Args:
            cancelled: Set when the run is cancelled.
            timeout_seconds: The time limit, where 0 is no limit.
        """
        stop = cls()
        watching = asyncio.create_task(stop._watch(cancelled, timeout_seconds))
        try:
            yield stop
        finally:
            watching.cancel()

    @staticmethod
    async def run_unless_set(event: asyncio.Event, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Return the result of a coroutine, or cancel it and return None when the event is set."""
        working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            waiting.cancel()
            # A cancelled coroutine first ends its process.
            await asyncio.wait({working, waiting})

    async def _watch(self, cancelled: asyncio.Event, timeout_seconds: int) -> None:
        try:
            async with asyncio.timeout(timeout_seconds or None):
                await cancelled.wait()
            self.reason = CANCELLED_BY_USER
        except TimeoutError:
            limit = Duration(timeout_seconds * SECOND).humanised()
            self.reason = (
                f"This run timed out after running for {limit}, which"
                f" exceeded the configured timeout of {timeout_seconds} seconds."
            )
        self.event.set()

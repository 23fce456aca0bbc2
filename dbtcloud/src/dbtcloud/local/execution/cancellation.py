"""What ends a run before its time: somebody's cancellation, or the job's time limit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.model.durations import humanise_duration
from dbtcloud.local.model.records import CANCELLED_BY_USER

T = TypeVar("T")


class Stop:
    """Is set when the run is to end before its time.

    Attributes:
        event: Set from that moment on.
        reason: Why, in the words of dbt Cloud's ``status_message``; None until then.
    """

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: str | None = None

    async def watch(self, cancelled: asyncio.Event, timeout_seconds: int) -> None:
        """Wait for the cancellation or for the time limit (0: none), whichever comes first."""
        try:
            async with asyncio.timeout(timeout_seconds or None):
                await cancelled.wait()
            self.reason = CANCELLED_BY_USER
        except TimeoutError:
            self.reason = (
                f"This run timed out after running for {humanise_duration(timeout_seconds * SECOND)}, which"
                f" exceeded the configured timeout of {timeout_seconds} seconds."
            )
        self.event.set()


async def unless_set(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do some work and return what it makes; once the event is set it is given up, and None."""
    doing, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        doing.cancel()
        waiting.cancel()
        await asyncio.wait({doing, waiting})


@contextlib.asynccontextmanager
async def stopping(cancelled: asyncio.Event, timeout_seconds: int) -> AsyncIterator[Stop]:
    """Watch for an early end while the block runs."""
    stop = Stop()
    watching = asyncio.create_task(stop.watch(cancelled, timeout_seconds))
    try:
        yield stop
    finally:
        watching.cancel()

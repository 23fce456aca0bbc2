"""How long requests may take: each one by itself, and all those of a wait together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from dbtcloud.client.retry import RetryDecision

MINIMUM_RATE = 4096
"""Bytes per second that a streamed body must bring on average over a timeout."""


@dataclass(slots=True)
class _Limit:
    """When the requests of a block end by the monotonic clock, and whether the first one shortens that."""

    ends_at: float = math.inf
    awaits_request: bool = False


_LIMIT: ContextVar[_Limit] = ContextVar("dbt_cloud_time_limit", default=_Limit())  # noqa: B039 -- never changed


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Let all requests within the block, and the pauses between their attempts, end within so many seconds.

    It holds for this thread, or for this task of an event loop. Of two limits, the earlier one counts.

    Args:
        seconds: The seconds. None stands for the timeout of the first request: a poll that hangs then fails
            once, and is not sent again as other requests are, because whoever polls does so anyway.
    """
    ends_at = math.inf if seconds is None else time.monotonic() + seconds
    token = _LIMIT.set(_Limit(min(_LIMIT.get().ends_at, ends_at), awaits_request=seconds is None))
    try:
        yield
    finally:
        _LIMIT.reset(token)


@contextmanager
def separate_time_limit(seconds: float) -> Iterator[None]:
    """Let all requests within the block end within so many seconds, also after the end of other limits.

    It is for what has to be done at any rate, such as undoing a change.

    Args:
        seconds: The seconds.
    """
    token = _LIMIT.set(_Limit(time.monotonic() + seconds))
    try:
        yield
    finally:
        _LIMIT.reset(token)


def seconds_left() -> float:
    """Return the seconds until the innermost `time_limit` ends, or infinity without one."""
    return _LIMIT.get().ends_at - time.monotonic()


def _start_limit(seconds: float) -> None:
    """Let a limit that awaits the first request end in so many seconds."""
    limit = _LIMIT.get()
    if limit.awaits_request:
        limit.ends_at, limit.awaits_request = min(limit.ends_at, time.monotonic() + seconds), False


def retry_within_limit(retry: RetryDecision) -> RetryDecision:
    """Return the same decision, except that nothing is sent again once the `time_limit` has ended."""

    def decide(*attempt: object) -> float | None:
        delay: float | None = retry(*attempt)  # type: ignore[arg-type]
        return delay if delay is not None and delay < seconds_left() else None

    return decide


class AnswerDeadline:
    """The time by which an answer must have arrived.

    Whoever waits for its bytes asks before each read how long that may take. A `time_limit` bounds it, too.

    Args:
        seconds: Seconds for the whole answer, from now on. If it is streamed, they are for its head alone.
            Its body must then bring at least `MINIMUM_RATE` in every such time. Only waiting for bytes
            counts, not the time in which they are stored.
        streamed: Whether the body is streamed.
        clock: Returns seconds that only grow.
    """

    __slots__ = ("_bytes", "_clock", "_ends_at", "_in_body", "_streamed", "_waited", "seconds")

    def __init__(
        self, seconds: float, *, streamed: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = answer_seconds(seconds)
        _start_limit(self.seconds)
        self._clock, self._ends_at, self._streamed = clock, clock() + self.seconds, streamed
        self._in_body, self._bytes, self._waited = False, 0, 0.0

    def seconds_left(self) -> float:
        """Return how long the next read may take.

        Raises:
            TimeoutError: If the time is up.
        """
        left = self.seconds - self._waited if self._in_body else self._ends_at - self._clock()
        left = min(left, seconds_left())
        if left <= 0:
            raise TimeoutError
        return left

    def start_body(self) -> None:
        """Note that the head has arrived: from now on the rate counts, if the body is streamed."""
        self._in_body = self._streamed

    def add(self, count: int, waited: float) -> None:
        """Note that so many bytes have arrived after so many seconds."""
        self._bytes, self._waited = self._bytes + count, self._waited + waited
        if self._bytes >= MINIMUM_RATE * self.seconds:
            self._bytes, self._waited = 0, 0.0


def answer_seconds(timeout: float) -> float:
    """Return the seconds that an answer may take which is asked for now."""
    return min(timeout, seconds_left())


def too_late(seconds: float) -> str:
    """Return why an answer that was not complete after so many seconds has failed."""
    return f"It was not complete within {_rounded(seconds):g} seconds"


def too_slow(seconds: float) -> str:
    """Return why a streamed answer has failed whose body did not keep to the minimum rate."""
    return f"Fewer than {MINIMUM_RATE:,} bytes per second arrived over {_rounded(seconds):g} seconds"


def _rounded(seconds: float) -> float:
    return max(round(seconds, 1), 0.1)

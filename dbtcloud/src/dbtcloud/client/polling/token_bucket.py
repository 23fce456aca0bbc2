"""A token bucket: how many requests may be sent, and how long to wait for the next."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """Lets a number of requests a minute through, a tenth of it at once at the most.

    Args:
        per_minute: Requests a minute, in the long run.
        clock: Seconds that only grow.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._rate, self._most = per_minute / 60, max(1.0, per_minute / 10)
        self._clock = clock
        self._left, self._counted = self._most, clock()

    def take(self) -> float:
        """Take one request's place, and say how many seconds to wait before it may be sent."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._counted) * self._rate) - 1
        self._counted = now
        return max(0.0, -self._left / self._rate)

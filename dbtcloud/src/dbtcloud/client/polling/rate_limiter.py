"""Bounds the requests of an event loop, and pauses all of them after a 429."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dbtcloud.client.errors import RateLimited

LONGEST_COOL_DOWN = 300.0
"""Seconds that dbt Cloud refuses requests after too many (its "API rate limits" page)."""

FIRST_COOL_DOWN = 60.0
"""Seconds without requests after a 429 that names none; doubled while 429s follow each other."""


class TokenBucket:
    """Lets a number of requests a minute through.

    At most a tenth of them go at once.

    Args:
        per_minute: Requests a minute, in the long run.
        clock: Returns seconds that never decrease.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._per_second, self._size = per_minute / 60, max(1.0, per_minute / 10)
        self._clock = clock
        self._tokens, self._filled_at = self._size, clock()

    def take(self) -> float:
        """Take one token, and return the seconds to wait before its request may be sent."""
        now = self._clock()
        # The tokens may go below zero: each further caller then waits longer, so that they go one by one.
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._per_second) - 1
        self._filled_at = now
        return max(0.0, -self._tokens / self._per_second)


class PollRateLimiter:
    """Spaces the requests of one event loop.

    Args:
        bucket: Bounds the requests of an account.
    """

    def __init__(self, bucket: TokenBucket) -> None:
        self._bucket = bucket
        self._cool_down = FIRST_COOL_DOWN
        self.quiet_until = 0.0

    async def acquire(self) -> None:
        """Wait until a request may be sent."""
        await asyncio.sleep(self._bucket.take())
        loop = asyncio.get_running_loop()
        # Another request may be refused during the sleep, which makes the pause longer.
        while (pause := self.quiet_until - loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(pause)

    def back_off(self, error: RateLimited) -> None:
        """Send nothing for as long as a 429 says, or for longer each time where it does not say.

        Requests that are sent together are refused together, which counts as one time.
        """
        now = asyncio.get_running_loop().time()
        if error.retry_after is not None:
            self.quiet_until = max(self.quiet_until, now + min(error.retry_after, LONGEST_COOL_DOWN))
        elif now >= self.quiet_until:
            self.quiet_until = now + self._cool_down
            self._cool_down = min(self._cool_down * 2, LONGEST_COOL_DOWN)

    def reset(self) -> None:
        """Start the next cool-down small again: a request was answered."""
        self._cool_down = FIRST_COOL_DOWN

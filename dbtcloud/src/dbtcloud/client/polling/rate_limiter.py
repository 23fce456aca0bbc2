"""When the next request may be sent: a bound on how many, and a pause for all after a 429."""

from __future__ import annotations

import asyncio

from dbtcloud.client.errors import RateLimited
from dbtcloud.client.polling.token_bucket import Bucket

COOL_DOWN = 60.0
"""Seconds without requests after a 429 that names none, doubled while they go on."""

LONGEST = 300.0
"""Seconds that dbt Cloud refuses requests after too many (its "API rate limits" page)."""


class Pacing:
    """Spaces the requests of one event loop.

    Args:
        bucket: Bounds the requests of an account.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._cool_down = COOL_DOWN
        self.quiet_until = 0.0

    async def turn(self) -> None:
        """Wait until a request may be sent."""
        await asyncio.sleep(self._bucket.take())
        loop = asyncio.get_running_loop()
        while (pause := self.quiet_until - loop.time()) > 0:  # noqa: ASYNC110 -- it may be made longer
            await asyncio.sleep(pause)

    def refused(self, error: RateLimited) -> None:
        """Send nothing for as long as a 429 says, or for longer each time where it says nothing.

        Requests that were under way together are refused together; that is one time.
        """
        now = asyncio.get_running_loop().time()
        if error.retry_after is not None:
            self.quiet_until = max(self.quiet_until, now + min(error.retry_after, LONGEST))
        elif now >= self.quiet_until:
            self.quiet_until = now + self._cool_down
            self._cool_down = min(self._cool_down * 2, LONGEST)

    def answered(self) -> None:
        """A request was answered: the next cool-down starts small again."""
        self._cool_down = COOL_DOWN

"""When the next request may be sent: a bound on how many, and a pause for all after a 429."""

from __future__ import annotations

import asyncio

from airflow_dbt_cloud.client.bucket import Bucket
from airflow_dbt_cloud.client.errors import RateLimited

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
        await asyncio.sleep(max(0.0, self.quiet_until - asyncio.get_running_loop().time()))

    def refused(self, error: RateLimited) -> None:
        """Send nothing for as long as a 429 says, or for longer each time where it says nothing."""
        pause = error.retry_after if error.retry_after is not None else self._cool_down
        self._cool_down = min(self._cool_down * 2, LONGEST)
        self.quiet_until = asyncio.get_running_loop().time() + pause

    def answered(self) -> None:
        """A request was answered: the next cool-down starts small again."""
        self._cool_down = COOL_DOWN

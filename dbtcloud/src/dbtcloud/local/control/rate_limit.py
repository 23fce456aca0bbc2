"""A rate limit like dbt Cloud's: requests per minute and account, then 429 for a cool-down."""

from dataclasses import dataclass

from dbtcloud.local.model.clock import SECOND

_MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class RateLimitSettings:
    """A rate limit. The defaults are dbt Cloud's (its documentation on API rate limits, 2026-06-22).

    Attributes:
        per_minute: how many requests an account may send in a minute.
        cooldown: for how many seconds the account is refused after that.
        retry_after: whether a refusal has a Retry-After header.
    """

    per_minute: int = 5_000
    cooldown: float = 300.0
    retry_after: bool = False


class RateLimiter:
    """Counts each account's requests by the local clock. It refuses none until a limit is set.

    Attributes:
        settings: the limit in force; None for none.
        refused: how many requests were refused.
    """

    settings: RateLimitSettings | None

    def __init__(self) -> None:
        self.disable()

    def enable(self, settings: RateLimitSettings) -> None:
        """Apply a limit from now on."""
        self.disable()
        self.settings = settings

    def disable(self) -> None:
        """Refuse no requests, and forget the counts."""
        self.settings = None
        self.refused = 0
        self._windows: dict[str, tuple[int, int]] = {}
        self._closed_until: dict[str, int] = {}

    def count_request(self, account: str, now: int) -> float | None:
        """Count a request and return for how many more seconds its account is refused.

        Returns:
            None when the request may pass.
        """
        if self.settings is None:
            return None
        # A request within the cool-down does not prolong it.
        if now >= self._closed_until.get(account, 0):
            self._count(account, now, self.settings)
        closed_until = self._closed_until.get(account, 0)
        if now >= closed_until:
            return None
        self.refused += 1
        return (closed_until - now) / SECOND

    def _count(self, account: str, now: int, settings: RateLimitSettings) -> None:
        begin, count = self._windows.get(account, (now, 0))
        begin, count = (now, 1) if now - begin >= _MINUTE else (begin, count + 1)
        self._windows[account] = (begin, count)
        if count > settings.per_minute:
            self._closed_until[account] = now + round(settings.cooldown * SECOND)
            del self._windows[account]

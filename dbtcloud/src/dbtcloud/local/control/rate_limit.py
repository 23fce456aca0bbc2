"""A rate limit like dbt Cloud's: so many requests a minute and account, then 429 for a cool-down."""

from dataclasses import dataclass

from dbtcloud.local.model.clock import SECOND

_MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """The documented limit: 5,000 a minute, a cool-down of 300 s (docs, API rate limits, 2026-06-22)."""

    per_minute: int = 5_000
    cooldown: float = 300.0
    retry_after: bool = False


class RateLimit:
    """Counts each account's requests in minutes of the local clock; disabled until a limit is set."""

    def __init__(self) -> None:
        self.limit: Limit | None = None
        self.disable()

    def enable(self, limit: Limit) -> None:
        """Apply a limit from now on."""
        self.disable()
        self.limit = limit

    def disable(self) -> None:
        """Let everything through."""
        self.limit = None
        self.refused = 0
        self._windows: dict[str, tuple[int, int]] = {}
        self._closed_until: dict[str, int] = {}

    def refuse_for(self, account: str, now: int) -> float | None:
        """Count a request; return for how many more seconds the account is refused, None when it is not."""
        if self.limit is None:
            return None
        if now >= self._closed_until.get(account, 0):
            self._count(account, now, self.limit)
        closed_until = self._closed_until.get(account, 0)
        if now >= closed_until:
            return None
        self.refused += 1
        return (closed_until - now) / SECOND

    def _count(self, account: str, now: int, limit: Limit) -> None:
        """Count a request that is not refused already; one too many begins a cool-down."""
        begin, count = self._windows.get(account, (now, 0))
        begin, count = (now, 1) if now - begin >= _MINUTE else (begin, count + 1)
        self._windows[account] = (begin, count)
        if count > limit.per_minute:
            self._closed_until[account] = now + round(limit.cooldown * SECOND)
            del self._windows[account]

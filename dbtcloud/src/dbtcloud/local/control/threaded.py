"""The control plane for other threads: the same verbs, carried over to the server's event loop."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from dbtcloud.local.control.control import Control
from dbtcloud.local.control.rate_limit import Limit

T = TypeVar("T")


class ThreadedControl:
    """Calls a server's control plane from outside its thread, with no request over the wire.

    Args:
        control: the control plane.
        loop: the event loop that it belongs to.
    """

    def __init__(self, control: Control, loop: asyncio.AbstractEventLoop) -> None:
        self._control, self._loop = control, loop

    def reset(self) -> None:
        """Go back to a new server's state."""
        asyncio.run_coroutine_threadsafe(self._control.reset(), self._loop).result()

    def seed(self, **document: Any) -> dict[str, list[int]]:
        """Add `accounts`, `projects`, `environments`, `jobs` and pretended `runs`; return their ids by kind.

        Raises:
            ValueError: for what the document should not hold (see `dbtcloud.local.control.seed.seed`).
        """
        return self._call(lambda: self._control.seed(document))

    def now(self) -> float:
        """Return the local clock, in seconds since 1970."""
        return self._call(self._control.now)

    def advance(self, seconds: float) -> float:
        """Move the local clock forward; return it in seconds since 1970."""
        return self._call(lambda: self._control.advance(seconds))

    def add_fault(self, kind: str, **rule: Any) -> int:
        """Put a fault in force (see `dbtcloud.local.control.faults.Rule`) and return its id."""
        return self._call(lambda: self._control.faults.add({"kind": kind, **rule}))

    def clear_faults(self) -> None:
        """Withdraw every fault."""
        self._call(self._control.faults.clear)

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults in force, with how many requests each has hit."""
        return self._call(self._control.faults.listed)

    def limit_rate(
        self, per_minute: int = 5_000, cooldown: float = 300.0, *, retry_after: bool = False
    ) -> None:
        """Put a rate limit in force: requests a minute and account, then 429 for `cooldown` seconds."""
        self._call(lambda: self._control.rate_limit.enable(Limit(per_minute, cooldown, retry_after)))

    def lift_rate_limit(self) -> None:
        """Let everything through again."""
        self._call(self._control.rate_limit.disable)

    def rate_limit(self) -> dict[str, Any]:
        """Return the limit in force, None for none, and how many requests it refused."""
        limit = self._control.rate_limit
        return self._call(lambda: {"limit": limit.limit and asdict(limit.limit), "refused": limit.refused})

    def add_token(self, *permission_sets: str, token: str | None = None) -> str:
        """Let one more token in, with no more than some permission sets, and return it.

        Raises:
            ValueError: for a permission set that `dbtcloud.local.control.permissions` does not know.
        """
        return self._call(lambda: self._control.guard.add(permission_sets, token))

    def requests(self) -> list[dict[str, Any]]:
        """Return the journal: method, target, headers, body, connection number, status of each request."""
        return self._call(self._control.journal.entries)

    def clear_requests(self) -> None:
        """Empty the journal and its counters."""
        self._call(self._control.journal.clear)

    def counters(self) -> dict[str, Any]:
        """Return counts: `requests`, `connections`, `answers` by status, `runs_created`."""
        return self._call(self._control.counters)

    def _call(self, verb: Callable[[], T]) -> T:
        async def on_loop() -> T:
            return verb()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result()

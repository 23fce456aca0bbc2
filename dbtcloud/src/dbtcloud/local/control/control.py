"""The control plane, with which tests do to the server what dbt Cloud's API cannot."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from dbtcloud.local.control.faults import FaultInjector
from dbtcloud.local.control.page_sessions import PageSessions
from dbtcloud.local.control.rate_limit import RateLimiter, RateLimitSettings
from dbtcloud.local.control.request_log import RequestLog
from dbtcloud.local.control.seed import Seeder
from dbtcloud.local.control.tokens import Authenticator
from dbtcloud.local.model.records import AccountRecord
from dbtcloud.local.model.run_plan import ProjectSetup
from dbtcloud.local.orchestration.cloud import Cloud

_MICROSECONDS = 1_000_000
_T = TypeVar("_T")


class ControlPlane:
    """The operations behind `/_local/`, to be called on the server's event loop.

    Args:
        cloud: the local dbt Cloud.
        default_seed: the seed document that `reset` restores.
        authenticator: checks the tokens.
        setups: how to run the projects of `default_seed`, by project id, if they are a user's own.

    Attributes:
        authenticator: checks the tokens.
        page_sessions: the sessions of browsers on the pages.
        faults: injects faults.
        rate_limit: limits the rate of requests.
        request_log: the last requests.
    """

    def __init__(
        self,
        cloud: Cloud,
        default_seed: dict[str, Any],
        authenticator: Authenticator,
        setups: Mapping[int, ProjectSetup] | None = None,
    ) -> None:
        self._cloud, self._default_seed, self._setups = cloud, default_seed, setups or {}
        self._seeder = Seeder(cloud)
        self.authenticator = authenticator
        self.page_sessions = PageSessions()
        self.request_log = RequestLog()
        self.faults = FaultInjector()
        self.rate_limit = RateLimiter()

    async def reset(self) -> None:
        """Reset the server to the state of a new one.

        It has the default seed, and no runs, faults, rate limit or logged requests. Tokens that were added
        since the start are forgotten.
        """
        await self._cloud.reset()
        self.faults.clear()
        self.rate_limit.disable()
        self.request_log.clear()
        self.authenticator.reset()
        self._seed_defaults()

    def restore_or_seed(self) -> None:
        """Continue with what an earlier server left in the store, or load the default seed.

        Runs that were queued or running when that server ended are recovered.
        """
        # A user's own projects are always loaded: they may have changed since the store was written.
        if self._setups or not self._cloud.store.definitions.ids(AccountRecord):
            self._seed_defaults()
        else:
            self._seeder.update_sources(self._default_seed)
        self._cloud.queue.recover()

    def seed(self, document: Any) -> dict[str, list[int]]:
        """Add definitions and simulated runs to the store and return their ids by kind.

        Raises:
            ValueError: The document is wrong (see `dbtcloud.local.control.seed.Seeder.insert`).
        """
        return self._seeder.insert(document)

    def now(self) -> float:
        """Return the time of the local clock, in seconds since 1970."""
        return self._cloud.clock.now() / _MICROSECONDS

    def advance(self, seconds: float) -> float:
        """Move the local clock forward and return its time, in seconds since 1970."""
        return self._cloud.clock.advance(seconds) / _MICROSECONDS

    def counters(self) -> dict[str, Any]:
        """Return counts of requests, connections, responses by status, and runs created over the API."""
        return {**self.request_log.counters(), "runs_created": self._cloud.runs_created}

    def rate_limit_status(self) -> dict[str, Any]:
        """Return the rate limit in force (None for none) and how many requests it has refused."""
        settings = self.rate_limit.settings
        return {"limit": settings and asdict(settings), "refused": self.rate_limit.refused}

    def page_link(self, page: str = "/") -> str:
        """Return a link that opens a page, and lets one browser see all pages until the server stops.

        Args:
            page: the page: its path, or its address, such as the `href` of a run.

        Raises:
            ValueError: `page` is neither.
        """
        path = page.removeprefix(self._cloud.base_url)
        if not path.startswith("/") or "?" in path:
            raise ValueError(f"Give the path of a page, such as /deploy/1/projects/1/runs/7/; got {page!r}.")
        return f"{self._cloud.base_url}{path}?code={self.page_sessions.new_code()}"

    def _seed_defaults(self) -> None:
        if not self._setups:
            self.seed(self._default_seed)
            return
        ids = self._seeder.upsert(self._default_seed)
        self._cloud.setups = {ids[project]: setup for project, setup in self._setups.items()}


class ThreadedControl:
    """The control plane for other threads: it runs each operation on the server's event loop.

    Its operations are not requests, so they are neither counted nor logged.

    Args:
        control: the control plane.
        loop: the server's event loop.
    """

    def __init__(self, control: ControlPlane, loop: asyncio.AbstractEventLoop) -> None:
        self._control, self._loop = control, loop

    def reset(self) -> None:
        """Reset the server to the state of a new one."""
        asyncio.run_coroutine_threadsafe(self._control.reset(), self._loop).result()

    def seed(self, **document: Any) -> dict[str, list[int]]:
        """Add definitions and simulated runs to the store and return their ids by kind.

        Args:
            document: `accounts`, `projects`, `environments`, `jobs`, `environment_variables`, `webhooks` and
                `runs` (see `dbtcloud.local.control.seed.Seeder.insert`).

        Raises:
            ValueError: The document is wrong (see `dbtcloud.local.control.seed.Seeder.insert`).
        """
        return self._call(lambda: self._control.seed(document))

    def now(self) -> float:
        """Return the time of the local clock, in seconds since 1970."""
        return self._call(self._control.now)

    def advance(self, seconds: float) -> float:
        """Move the local clock forward and return its time, in seconds since 1970."""
        return self._call(lambda: self._control.advance(seconds))

    def add_fault(self, kind: str, **rule: Any) -> int:
        """Add a fault rule and return its id (see `dbtcloud.local.control.faults.FaultRule`)."""
        return self._call(lambda: self._control.faults.add({"kind": kind, **rule}))

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self._call(self._control.faults.clear)

    def faults(self) -> list[dict[str, Any]]:
        """Return the fault rules, with how many requests each has hit."""
        return self._call(self._control.faults.as_json)

    def limit_rate(
        self, per_minute: int = 5_000, cooldown: float = 300.0, *, retry_after: bool = False
    ) -> None:
        """Limit the rate of requests.

        Args:
            per_minute: how many requests an account may send in a minute.
            cooldown: for how many seconds the account gets 429 after that.
            retry_after: whether these responses have a Retry-After header.
        """
        settings = RateLimitSettings(per_minute, cooldown, retry_after)
        self._call(lambda: self._control.rate_limit.enable(settings))

    def lift_rate_limit(self) -> None:
        """Remove the rate limit."""
        self._call(self._control.rate_limit.disable)

    def rate_limit(self) -> dict[str, Any]:
        """Return the rate limit in force (None for none) and how many requests it has refused."""
        return self._call(self._control.rate_limit_status)

    def add_token(self, *permission_sets: str, token: str | None = None) -> str:
        """Accept another token, limited to some permission sets, and return it.

        Raises:
            ValueError: `dbtcloud.local.control.permissions` does not know a permission set.
        """
        return self._call(lambda: self._control.authenticator.add_token(permission_sets, token))

    def page_link(self, page: str = "/") -> str:
        """Return a link that opens a page, and lets one browser see all pages until the server stops.

        Args:
            page: the page: its path, or its address, such as the `href` of a run.

        Raises:
            ValueError: `page` is neither.
        """
        return self._call(lambda: self._control.page_link(page))

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log: method, target, headers, body, connection number and status of each."""
        return self._call(self._control.request_log.as_json)

    def clear_requests(self) -> None:
        """Clear the request log and its counters."""
        self._call(self._control.request_log.clear)

    def counters(self) -> dict[str, Any]:
        """Return counts: `requests`, `connections`, `answers` (responses by status) and `runs_created`."""
        return self._call(self._control.counters)

    def _call(self, operation: Callable[[], _T]) -> _T:
        async def on_loop() -> _T:
            return operation()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result()

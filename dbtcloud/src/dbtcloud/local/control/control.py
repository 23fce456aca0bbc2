"""The control plane: what tests and rehearsals do to the server that dbt Cloud's own API does not offer."""

from collections.abc import Mapping
from typing import Any

from dbtcloud.local.control.faults import Faults
from dbtcloud.local.control.rate_limit import RateLimit
from dbtcloud.local.control.request_log import Journal
from dbtcloud.local.control.seed import point_at_sources, seed
from dbtcloud.local.control.seed_upsert import adopt
from dbtcloud.local.control.tokens import Guard
from dbtcloud.local.model.records import AccountRecord
from dbtcloud.local.model.run_plan import ProjectSetup
from dbtcloud.local.orchestration.cloud import Cloud


class Control:
    """Every verb of `/_local/`; call them on the server's event loop.

    Args:
        cloud: what is controlled.
        defaults: the seed document that `reset` goes back to.
        guard: knows the tokens.
        setups: how to run the projects of `defaults`, where these are somebody's own.
    """

    def __init__(
        self,
        cloud: Cloud,
        defaults: dict[str, Any],
        guard: Guard,
        setups: Mapping[int, ProjectSetup] | None = None,
    ) -> None:
        self._cloud, self._defaults, self._setups = cloud, defaults, setups or {}
        self.guard = guard
        self.journal = Journal()
        self.faults = Faults()
        self.rate_limit = RateLimit()

    async def reset(self) -> None:
        """Go back to a new server's state: default seed, no run, fault, limit, token or journal."""
        await self._cloud.reset()
        self.faults.clear()
        self.rate_limit.disable()
        self.journal.clear()
        self.guard.forget()
        self.seed_defaults()

    def seed_defaults(self) -> None:
        """Put the default seed into the store."""
        if not self._setups:
            self.seed(self._defaults)
            return
        ids = adopt(self._cloud, self._defaults)
        self._cloud.setups = {ids[project]: setup for project, setup in self._setups.items()}

    def take_over(self) -> None:
        """Go on with what an earlier server kept, or begin with the default seed."""
        if self._setups or not self._cloud.store.definitions.ids(AccountRecord):
            self.seed_defaults()
        else:
            point_at_sources(self._cloud, self._defaults)
        self._cloud.queue.recover()

    def seed(self, document: Any) -> dict[str, list[int]]:
        """Put definitions and pretended runs into the store (see `seeding.seed`) and return their ids."""
        return seed(self._cloud, document)

    def now(self) -> float:
        """Return the local clock, in seconds since 1970."""
        return self._cloud.clock.now() / 1_000_000

    def advance(self, seconds: float) -> float:
        """Move the local clock forward and return it, in seconds since 1970."""
        return self._cloud.clock.advance(seconds) / 1_000_000

    def counters(self) -> dict[str, Any]:
        """Return counts of requests, connections, answers by status, and runs created over the API."""
        return {**self.journal.counters(), "runs_created": self._cloud.runs_created}

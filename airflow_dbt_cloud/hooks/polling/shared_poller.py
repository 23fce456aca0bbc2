"""Shares one poller among all triggers of a process that wait for runs of one account over one connection."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from airflow_dbt_cloud.hooks.connection import credentials as connection_credentials
from dbtcloud.client.errors import Unauthorized
from dbtcloud.client.polling.poller import REQUESTS_PER_MINUTE, RunPoller
from dbtcloud.client.polling.rate_limiter import TokenBucket

if TYPE_CHECKING:
    from dbtcloud.client.models import Run
    from dbtcloud.client.transport.credentials import Credentials

_Key = tuple[object, ...]


class _ConnectionReader(Protocol):
    """The part of a hook that a poller uses."""

    dbt_cloud_conn_id: str
    timeout_seconds: int | None

    async def read_credentials(self) -> Credentials:
        """Read the connection as it is now."""

    def use_credentials(self, credentials: Credentials) -> None:
        """Use credentials that another hook has read from the same connection."""

    def default_account_id(self, credentials: Credentials) -> int:
        """Return the account that the connection names."""


@dataclass(slots=True)
class _Shared:
    """The poller of one connection and account, and the lock under which it is made or replaced."""

    bucket_of: dict[_Key, TokenBucket]
    poller: RunPoller | None = None
    read_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, hook: _ConnectionReader, account_id: object, refused: RunPoller | None) -> RunPoller:
        """Return the poller, or a new one if the connection has changed since `refused` was refused."""
        if self._usable(refused):
            assert self.poller is not None
            return self.poller
        async with self.lock:
            poller = self.poller
            # A refused token may be about to be rotated. Airflow is asked for the connection only once in ten
            # seconds, however many triggers are refused. An idle poller's connection is read again as well.
            if poller is None or (not self._usable(refused) and self._may_read):
                self.read_at = time.monotonic()
                credentials = await hook.read_credentials()
                if poller is None or credentials != poller.credentials:
                    account = account_id or hook.default_account_id(credentials)
                    poller = RunPoller(credentials, str(account), self._bucket(credentials, account))
            self.poller = poller
            return poller

    def _usable(self, refused: RunPoller | None) -> bool:
        return self.poller is not None and self.poller is not refused and not self.poller.idle

    @property
    def _may_read(self) -> bool:
        return time.monotonic() - self.read_at >= connection_credentials.REREAD_INTERVAL

    def _bucket(self, credentials: Credentials, account_id: object) -> TokenBucket:
        key = (credentials.base_url, str(account_id))
        return self.bucket_of.setdefault(key, TokenBucket(REQUESTS_PER_MINUTE, time.monotonic))


@dataclass(slots=True)
class _LoopState:
    """The pollers of one event loop, and one bucket for each account, whichever connections lead to it."""

    pollers: dict[_Key, _Shared] = field(default_factory=dict)
    buckets: dict[_Key, TokenBucket] = field(default_factory=dict)


_LOOPS: dict[asyncio.AbstractEventLoop, _LoopState] = {}


class SharedPoll:
    """One trigger's share in the polls of its process.

    Args:
        run_id: The run.
        interval: Seconds between two polls.
        shared_by: Only hooks of the same class and connection that have the same value here share their
            polls. For a subclass with arguments of its own it holds what tells its connections apart.

    Attributes:
        used: Whether a status came from the shared polls, which keep to the interval.
        poller: The poller that was used last.
    """

    __slots__ = ("_at_once", "_interval", "_known", "_shared", "_shared_by", "poller", "run_id", "used")

    def __init__(self, run_id: int, interval: float, shared_by: str = "") -> None:
        self.run_id, self._interval, self._shared_by = run_id, interval, shared_by
        self._known: int | None = None
        self._at_once = True
        self._shared: _Shared | None = None
        self.poller: RunPoller | None = None
        self.used = False

    def poll_at_once(self) -> None:
        """Let the next poll come at once, and return whatever status it finds."""
        self._known, self._at_once = None, True

    async def next_change(self, hook: _ConnectionReader, account_id: object) -> Run:
        """Wait until the run's status differs from the last one returned, and return the run.

        The first trigger that waits over a connection reads it; the others wait for that. After a 401 the
        connection is read again before the token is called wrong.

        Raises:
            DbtCloudError: If a poll of the run failed. The next call returns whatever status there is.
        """
        self.used = True
        known, at_once = self._known, self._at_once
        self._known, self._at_once = None, False
        try:
            poller = await self._poller(hook, account_id, refused=None)
            try:
                run = await poller.next_change(self.run_id, known, self._interval, at_once=at_once)
            except Unauthorized:
                renewed = await self._poller(hook, account_id, refused=poller)
                if renewed is poller:
                    raise
                run = await renewed.next_change(self.run_id, known, self._interval, at_once=True)
        except asyncio.CancelledError:
            self._known = known  # nobody has seen a poll fail, so only a new status is news
            raise
        self._known = run.status
        return run

    async def _poller(
        self, hook: _ConnectionReader, account_id: object, refused: RunPoller | None
    ) -> RunPoller:
        if self._shared is None:
            state = _state_of_loop()
            own = (type(hook), hook.dbt_cloud_conn_id, hook.timeout_seconds, self._shared_by, str(account_id))
            self._shared = state.pollers.setdefault(own, _Shared(state.buckets))
        poller = await self._shared.get(hook, account_id, refused)
        if poller is not self.poller:
            hook.use_credentials(poller.credentials)
            self.poller = poller
        return poller


def _state_of_loop() -> _LoopState:
    """Return the state of the running loop, and drop that of closed loops."""
    loop = asyncio.get_running_loop()
    if loop not in _LOOPS:
        for closed in [other for other in _LOOPS if other.is_closed()]:
            del _LOOPS[closed]
    return _LOOPS.setdefault(loop, _LoopState())

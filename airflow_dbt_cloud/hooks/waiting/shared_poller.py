"""Joins the looks of all hooks of a process that watch runs of one account over one connection."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_dbt_cloud.hooks.connection import credentials as access
from dbtcloud.client.errors import Unauthorized
from dbtcloud.client.polling.poller import REQUESTS_PER_MINUTE, RunPoller
from dbtcloud.client.polling.token_bucket import Bucket

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.base import DbtCloudBaseHook
    from dbtcloud.client.models import Run
    from dbtcloud.client.transport.credentials import Credentials

Key = tuple[object, ...]


@dataclass(slots=True)
class Watch:
    """The poller of one connection and account, and the lock under which it is made or renewed."""

    poller: RunPoller | None = None
    read_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def age(self) -> float:
        """Seconds since the connection was read."""
        return time.monotonic() - self.read_at


@dataclass(slots=True)
class Loop:
    """What belongs to one event loop."""

    watches: dict[Key, Watch] = field(default_factory=dict)
    buckets: dict[Key, Bucket] = field(default_factory=dict)

    def bucket(self, credentials: Credentials, account_id: object) -> Bucket:
        """The bucket of an account, shared by all connections to it."""
        key = (credentials.base_url, str(account_id))
        return self.buckets.setdefault(key, Bucket(REQUESTS_PER_MINUTE, time.monotonic))


_LOOPS: dict[asyncio.AbstractEventLoop, Loop] = {}


async def next_run(
    hook: DbtCloudBaseHook,
    run_id: int,
    account_id: object,
    known: int | None,
    interval: float,
    *,
    at_once: bool,
) -> Run:
    """Wait for a run's status to become another than `known`, and give the run.

    The first hook that watches over a connection reads it, the others wait for that. A refused token is read
    anew before it is called wrong. `at_once` does not leave the first look to the next tick.

    Raises:
        DbtCloudError: If a look at the run failed.
    """
    poller = await _poller(hook, account_id, refused=None)
    try:
        return await poller.changed(run_id, known, interval, at_once=at_once)
    except Unauthorized:
        renewed = await _poller(hook, account_id, refused=poller)
        if renewed is poller:
            raise
        return await renewed.changed(run_id, known, interval, at_once=True)


def _here() -> Loop:
    """What belongs to the running loop; what belonged to loops that are closed by now is forgotten."""
    loop = asyncio.get_running_loop()
    if loop not in _LOOPS:
        for closed in [other for other in _LOOPS if other.is_closed()]:
            del _LOOPS[closed]
    return _LOOPS.setdefault(loop, Loop())


async def _poller(hook: DbtCloudBaseHook, account_id: object, refused: RunPoller | None) -> RunPoller:
    """The present poller; one with the connection as it is now where that was refused, or nobody used it."""
    here = _here()
    key = (type(hook), hook.dbt_cloud_conn_id, hook.timeout_seconds, hook.shares_with, str(account_id))
    watch = here.watches.setdefault(key, Watch())
    poller = watch.poller
    if poller is not None and poller is not refused and not poller.idle:
        hook.adopt(poller.credentials, poller)
        return poller
    async with watch.lock:
        poller = watch.poller
        if poller is None or ((poller is refused or poller.idle) and watch.age >= access.RENEWAL):
            watch.read_at = time.monotonic()
            credentials = await hook.read_credentials()
            if poller is None or credentials != poller.credentials:
                account = account_id or hook.own_account(credentials)
                poller = RunPoller(credentials, str(account), here.bucket(credentials, account))
        watch.poller = poller
        hook.adopt(poller.credentials, poller)
        return poller

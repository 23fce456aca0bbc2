"""Reads the status of many runs with few requests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.models import FINISHED, UNFINISHED, Run
from dbtcloud.client.paging import PAGE_SIZE
from dbtcloud.client.protocol import Call


def by_ids(account_id: Id, run_ids: Collection[int]) -> Call[dict[int, Run]]:
    """The runs of up to 100 ids by one request (`pk__in`, documented since 2024-09); some may be missing."""
    runs = yield from endpoints.list_runs_page(account_id, pk__in=sorted(run_ids), limit=PAGE_SIZE)
    return {run.id: run for run in runs}


def by_lists(
    account_id: Id, run_ids: Collection[int], finished_since: datetime | None
) -> Call[dict[int, Run]]:
    """The runs among the account's active ones, then among those that finished last; some may be missing.

    Args:
        account_id: The account.
        run_ids: The runs that are wanted.
        finished_since: The list of finished runs is read back to here; one page of it if None.
    """
    wanted = set(run_ids)
    found: dict[int, Run] = {}
    active = {"status__in": sorted(map(int, UNFINISHED)), "order_by": "id"}
    for run in (yield from endpoints.list_runs(account_id, **active)):
        if run.id in wanted:
            found[run.id] = run
    offset = 0
    while wanted - set(found):
        page = yield from _finished_page(account_id, offset)
        found.update({run.id: run for run in page if run.id in wanted})
        if len(page) < PAGE_SIZE or finished_since is None or _before(page[-1], finished_since):
            break
        offset += PAGE_SIZE
    return found


def one_by_one(account_id: Id, run_id: int) -> Call[dict[int, Run]]:
    """One run by its own request."""
    return {run_id: (yield from endpoints.get_run(account_id, run_id))}


def _finished_page(account_id: Id, offset: int) -> Call[list[Run]]:
    filters = {"status__in": sorted(map(int, FINISHED)), "order_by": "-finished_at"}
    return endpoints.list_runs_page(account_id, limit=PAGE_SIZE, offset=offset, **filters)


def _before(run: Run, moment: datetime) -> bool:
    return run.finished_at is not None and run.finished_at < moment

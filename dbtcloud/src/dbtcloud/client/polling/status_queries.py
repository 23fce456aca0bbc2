"""Reads the status of many runs with few requests.

The rows come back as dbt Cloud sent them: a poll needs two or three of their fields, and parsing thousands of
whole rows every few seconds would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.models import FINISHED, UNFINISHED, Json, parse_timestamp
from dbtcloud.client.paging import PAGE_SIZE, list_rows, rows_of
from dbtcloud.client.protocol import Call


def by_ids(account_id: Id, run_ids: Collection[int]) -> Call[dict[int, Json]]:
    """Return up to 100 runs by their ids, with one request.

    Some may be missing. The filter `pk__in` is documented since September 2024 (v2 "List Runs").
    """
    return _by_id((yield from _page(account_id, pk__in=sorted(run_ids))))


def by_lists(
    account_id: Id, run_ids: Collection[int], finished_since: datetime | None
) -> Call[dict[int, Json]]:
    """Return runs from the list of active ones, then from that of finished ones.

    Some may be missing.

    Args:
        account_id: The account.
        run_ids: The runs that are wanted.
        finished_since: The list of finished runs is read back to here; one page of it if None.
    """
    active = {"status__in": sorted(map(int, UNFINISHED)), "order_by": "id"}
    rows = yield from list_rows(endpoints.get_request(account_id, "runs", query=active))
    wanted = set(run_ids)
    found = {run_id: row for run_id, row in _by_id(rows).items() if run_id in wanted}
    finished = {"status__in": sorted(map(int, FINISHED)), "order_by": "-finished_at"}
    offset = 0
    while wanted - found.keys():
        page = yield from _page(account_id, offset=offset, **finished)
        found.update({run_id: row for run_id, row in _by_id(page).items() if run_id in wanted})
        if len(page) < PAGE_SIZE or finished_since is None or _is_before(page[-1], finished_since):
            break
        offset += PAGE_SIZE
    return found


def one_by_one(account_id: Id, run_id: int) -> Call[dict[int, Json]]:
    """Return one run, with a request of its own."""
    run = yield from endpoints.get_run(account_id, run_id)
    return {run_id: run.data}


def _page(account_id: Id, **filters: object) -> Call[list[Json]]:
    query = {"limit": PAGE_SIZE, **filters}
    return rows_of((yield from endpoints.get_data(endpoints.get_request(account_id, "runs", query=query))))


def _by_id(rows: Iterable[Json]) -> dict[int, Json]:
    """Return the rows by id.

    A row without an id is left out: its run is then asked for alone.
    """
    return {row["id"]: row for row in rows if isinstance(row, Mapping) and isinstance(row.get("id"), int)}


def _is_before(row: Json, instant: datetime) -> bool:
    finished_at = parse_timestamp(row.get("finished_at")) if isinstance(row, Mapping) else None
    return finished_at is not None and finished_at < instant

"""Conditions on runs as SQL: a run's status is worked out from its instants and the present one."""

from collections.abc import Sequence
from typing import Any

from dbtcloud.local.model.records import Status
from dbtcloud.local.store.interface import RunQuery

_COLUMNS = {
    "id": "ids",
    "job_id": "job_ids",
    "project_id": "project_ids",
    "environment_id": "environment_ids",
    "dbt_version": "dbt_versions",
    "retrying_run_id": "retrying_run_ids",
}
_GENERATED = "({column} AND started_at IS NOT NULL AND finished_at <= ? AND outcome = 10)"
_GOING = "(finished_at IS NULL OR finished_at > ?)"
_ACTIVE = {
    Status.QUEUED: "(dequeued_at IS NULL OR dequeued_at > ?) AND (started_at IS NULL OR started_at > ?)",
    Status.STARTING: "dequeued_at <= ? AND (started_at IS NULL OR started_at > ?)",
    Status.RUNNING: "started_at <= ?",
}


def where(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
    """Return the conditions, all of which must hold, and the values for their question marks."""
    conditions, values = ["account_id = ?"], [query.account_id]
    if query.deleted or query.deferring:
        return ["0"], []
    for column, attribute in _COLUMNS.items():
        wanted = getattr(query, attribute)
        if wanted is not None:
            conditions.append(one_of(column, wanted))
            values += wanted
    for condition, found in (
        _above(query),
        _ranges(query, now),
        _statuses(query.statuses, now),
        _generated(query, now),
    ):
        conditions += condition
        values += found
    return conditions, values


def ordering(order_by: str, statuses: Sequence[int] | None = None, now: int | None = None) -> str:
    """Return what to sort by; a run that has not ended sorts as PostgreSQL sorts NULL: above everything."""
    column, direction = order_by.removeprefix("-"), "DESC" if order_by.startswith("-") else "ASC"
    if column == "finished_at" and not _all_ended(statuses):
        nulls = "FIRST" if direction == "DESC" else "LAST"
        ended = f"CASE WHEN finished_at <= {now} THEN finished_at END {direction} NULLS {nulls}"
        return f"{ended}, id {direction}"
    return f"{column} {direction}" if column == "id" else f"{column} {direction}, id {direction}"


def one_of(column: str, wanted: Sequence[object]) -> str:
    """Return the condition that a column has one of as many values."""
    return f"{column} IN ({', '.join('?' * len(wanted))})"


def _above(query: RunQuery) -> tuple[list[str], list[Any]]:
    return ([], []) if query.id_above is None else (["id > ?"], [query.id_above])


def _ranges(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if query.created is not None:
        conditions.append("created_at BETWEEN ? AND ?")
        values += query.created
    if query.started is not None:
        conditions.append("started_at BETWEEN ? AND ?")
        values += query.started
    if query.finished is not None:
        conditions.append("finished_at BETWEEN ? AND ? AND finished_at <= ?")
        values += [*query.finished, now]
    return conditions, values


def _statuses(statuses: Sequence[int] | None, now: int) -> tuple[list[str], list[Any]]:
    if statuses is None:
        return [], []
    alternatives: list[str] = []
    values: list[Any] = []
    if ended := [status for status in statuses if status >= Status.SUCCESS]:
        alternatives.append(f"(finished_at <= ? AND {one_of('outcome', ended)})")
        values += [now, *ended]
    for status in (known for known in _ACTIVE if known in statuses):
        alternatives.append(f"({_GOING} AND {_ACTIVE[status]})")
        values += [now] * (1 + _ACTIVE[status].count("?"))
    return [f"({' OR '.join(alternatives)})" if alternatives else "0"], values


def _generated(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    for column, wanted in (("docs", query.docs), ("sources", query.sources)):
        if wanted is not None:
            condition = _GENERATED.format(column=column)
            conditions.append(condition if wanted else f"NOT coalesce({condition}, 0)")
    return conditions, [now] * len(conditions)


def _all_ended(statuses: Sequence[int] | None) -> bool:
    return bool(statuses) and all(status >= Status.SUCCESS for status in statuses or ())

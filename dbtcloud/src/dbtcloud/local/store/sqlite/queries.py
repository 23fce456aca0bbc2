"""SQL queries: conditions on runs, the order of rows, and one page of a table.

A run's status is not stored. It follows from the run's instants and the time of the query.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbtcloud.local.model.records import Status
from dbtcloud.local.store.interface import PageQuery, RunQuery

_COLUMNS = {
    "id": "ids",
    "job_id": "job_ids",
    "project_id": "project_ids",
    "environment_id": "environment_ids",
    "dbt_version": "dbt_versions",
    "retrying_run_id": "retrying_run_ids",
}
_HAS_GENERATED = "({column} AND started_at IS NOT NULL AND finished_at <= ? AND outcome = 10)"
_UNFINISHED = "(finished_at IS NULL OR finished_at > ?)"
_ACTIVE = {
    Status.QUEUED: "(dequeued_at IS NULL OR dequeued_at > ?) AND (started_at IS NULL OR started_at > ?)",
    Status.STARTING: "dequeued_at <= ? AND (started_at IS NULL OR started_at > ?)",
    Status.RUNNING: "started_at <= ?",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A query of one table: columns, conditions that must all hold, their values, and the order."""

    table: str
    columns: str
    conditions: list[str]
    values: list[Any]
    order: str


def select_page(
    database: sqlite3.Connection, selection: Selection, page: PageQuery
) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows of one page, and the total number of rows."""
    rows = f"FROM {selection.table} WHERE {' AND '.join(selection.conditions)}"
    (total,) = database.execute(f"SELECT COUNT(*) {rows}", selection.values).fetchone()
    statement = f"SELECT {selection.columns} {rows} ORDER BY {selection.order} LIMIT ? OFFSET ?"
    return database.execute(statement, (*selection.values, page.limit, page.offset)).fetchall(), total


def run_conditions(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
    """Return the conditions of a query as SQL, and the values for their question marks."""
    conditions, values = ["account_id = ?"], [query.account_id]
    if query.deleted or query.deferring:
        return ["0"], []
    for column, attribute in _COLUMNS.items():
        wanted = getattr(query, attribute)
        if wanted is not None:
            conditions.append(is_one_of(column, wanted))
            values += wanted
    for condition, found in (
        _newer_than(query),
        _in_ranges(query, now),
        _has_status(query.statuses, now),
        _generated_files(query, now),
    ):
        conditions += condition
        values += found
    return conditions, values


def order_clause(order_by: str, statuses: Sequence[int] | None = None, now: int | None = None) -> str:
    """Return the ORDER BY clause."""
    column, direction = order_by.removeprefix("-"), "DESC" if order_by.startswith("-") else "ASC"
    # A run that has not finished sorts as PostgreSQL, which dbt Cloud uses, sorts NULL: above everything.
    if column == "finished_at" and not _all_finished(statuses):
        nulls = "FIRST" if direction == "DESC" else "LAST"
        finished = f"CASE WHEN finished_at <= {now} THEN finished_at END {direction} NULLS {nulls}"
        return f"{finished}, id {direction}"
    return f"{column} {direction}" if column == "id" else f"{column} {direction}, id {direction}"


def is_one_of(column: str, wanted: Sequence[object]) -> str:
    """Return the condition that a column has one of some values."""
    return f"{column} IN ({', '.join('?' * len(wanted))})"


def _newer_than(query: RunQuery) -> tuple[list[str], list[Any]]:
    return ([], []) if query.id_above is None else (["id > ?"], [query.id_above])


def _in_ranges(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
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


def _has_status(statuses: Sequence[int] | None, now: int) -> tuple[list[str], list[Any]]:
    if statuses is None:
        return [], []
    alternatives: list[str] = []
    values: list[Any] = []
    if final := [status for status in statuses if status >= Status.SUCCESS]:
        alternatives.append(f"(finished_at <= ? AND {is_one_of('outcome', final)})")
        values += [now, *final]
    for status in (known for known in _ACTIVE if known in statuses):
        alternatives.append(f"({_UNFINISHED} AND {_ACTIVE[status]})")
        values += [now] * (1 + _ACTIVE[status].count("?"))
    return [f"({' OR '.join(alternatives)})" if alternatives else "0"], values


def _generated_files(query: RunQuery, now: int) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    for column, wanted in (("docs", query.docs), ("sources", query.sources)):
        if wanted is not None:
            condition = _HAS_GENERATED.format(column=column)
            conditions.append(condition if wanted else f"NOT coalesce({condition}, 0)")
    return conditions, [now] * len(conditions)


def _all_finished(statuses: Sequence[int] | None) -> bool:
    return bool(statuses) and all(status >= Status.SUCCESS for status in statuses or ())

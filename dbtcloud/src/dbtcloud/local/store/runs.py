"""The table of runs, and that of the scripts of simulated runs.

A run's status is not stored. It follows from the run's instants and the time of the query.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from dbtcloud.local.model.records import RunRecord, Status
from dbtcloud.local.store.queries import PageQuery, RunQuery
from dbtcloud.local.store.selection import Selection

# Beyond 32 bits, like the run ids of dbt Cloud: a client that stores them in 32 bits fails here, too.
_FIRST_RUN_ID = 70_403_100_000_001

_FIELDS = tuple(entry.name for entry in fields(RunRecord) if entry.name != "trigger")
_COLUMNS = ", ".join((*_FIELDS, "trigger_body"))
_BOOLEANS = tuple(_FIELDS.index(name) for name in ("docs", "sources"))
# The columns that a query names with several values, and the attributes of the query.
_QUERIED_COLUMNS = {
    "id": "ids",
    "job_id": "job_ids",
    "project_id": "project_ids",
    "environment_id": "environment_ids",
    "dbt_version": "dbt_versions",
    "retrying_run_id": "retrying_run_ids",
}
# The conditions for each status of an unfinished run. Each question mark stands for the time of the query.
_UNFINISHED = "(finished_at IS NULL OR finished_at > ?)"
_ACTIVE = {
    Status.QUEUED: "(dequeued_at IS NULL OR dequeued_at > ?) AND (started_at IS NULL OR started_at > ?)",
    Status.STARTING: "dequeued_at <= ? AND (started_at IS NULL OR started_at > ?)",
    Status.RUNNING: "started_at <= ?",
}
_HAS_GENERATED = "({column} AND started_at IS NOT NULL AND finished_at <= ? AND outcome = 10)"


class RunTable:
    """The runs, and the scripts of simulated ones."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, runs: Iterable[RunRecord]) -> None:
        """Store new runs, all or none of them."""
        placeholders = ", ".join("?" * (len(_FIELDS) + 1))
        with self._database:
            self._database.execute("BEGIN")
            statement = f"INSERT INTO runs ({_COLUMNS}) VALUES ({placeholders})"  # noqa: S608 - our own names
            self._database.executemany(statement, map(_row, runs))

    def next_id(self) -> int:
        """Return an id above all run ids."""
        (highest,) = self._database.execute("SELECT MAX(id) FROM runs").fetchone()
        return max((highest or 0) + 1, _FIRST_RUN_ID)

    def get(self, id_: int) -> RunRecord | None:
        """Return a run, or None."""
        row = self._database.execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (id_,)).fetchone()  # noqa: S608 - our own names
        return None if row is None else _read(row)

    def find(self, query: RunQuery, page: PageQuery, now: int) -> tuple[list[RunRecord], int]:
        """Return one page of the runs that meet the query at `now`, and the number of all of them."""
        selection = Selection("runs", _COLUMNS)
        for condition, values in _conditions(query, now):
            selection.where(condition, *values)
        for column, attribute in _QUERIED_COLUMNS.items():
            if (wanted := getattr(query, attribute)) is not None:
                selection.where_in(column, wanted)
        rows, total = selection.page(self._database, page, _order(page, query.statuses, now))
        return [_read(row) for row in rows], total

    def latest_ids(self, job_ids: Iterable[int]) -> dict[int, int]:
        """Return the newest run id of each job."""
        # One statement for each job, because each only reads the end of an index.
        statement = "SELECT MAX(id) FROM runs WHERE job_id = ?"
        newest = {id_: self._database.execute(statement, (id_,)).fetchone()[0] for id_ in set(job_ids)}
        return {job_id: run_id for job_id, run_id in newest.items() if run_id is not None}

    def update(self, id_: int, **values: int | str | None) -> None:
        """Set instants, outcome or message of a run."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), id_))  # noqa: S608 - our own names

    def unfinished(self) -> list[RunRecord]:
        """Return the runs of real dbt that have not finished, the oldest first."""
        unfinished = "finished_at IS NULL AND script IS NULL"
        statement = f"SELECT {_COLUMNS} FROM runs WHERE {unfinished} ORDER BY id"  # noqa: S608 - our own names
        return [_read(row) for row in self._database.execute(statement)]

    def save_script(self, body: Mapping[str, Any]) -> str:
        """Store the script of simulated runs and return its name. Equal scripts share one name."""
        text = json.dumps(body, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()
        self._database.execute("INSERT OR IGNORE INTO scripts VALUES (?, ?)", (name, text))
        return name

    def script(self, name: str) -> dict[str, Any]:
        """Return a stored script."""
        (text,) = self._database.execute("SELECT body FROM scripts WHERE name = ?", (name,)).fetchone()
        body: dict[str, Any] = json.loads(text)
        return body


def _conditions(query: RunQuery, now: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield conditions in SQL, each with the values for its question marks."""
    yield "account_id = ?", [query.account_id]
    if query.deleted or query.deferring:
        yield "0", []
    if query.id_above is not None:
        yield "id > ?", [query.id_above]
    if query.created is not None:
        yield "created_at BETWEEN ? AND ?", query.created
    if query.started is not None:
        yield "started_at BETWEEN ? AND ?", query.started
    if query.finished is not None:
        # The end of a simulated run is stored before it happens.
        yield "finished_at BETWEEN ? AND ? AND finished_at <= ?", [*query.finished, now]
    if query.statuses is not None:
        yield _status_condition(query.statuses, now)
    for column, wanted in (("docs", query.docs), ("sources", query.sources)):
        if wanted is not None:
            condition = _HAS_GENERATED.format(column=column)
            yield condition if wanted else f"NOT coalesce({condition}, 0)", [now]


def _status_condition(statuses: Sequence[int], now: int) -> tuple[str, Sequence[Any]]:
    alternatives: list[str] = []
    values: list[Any] = []
    if final := [status for status in statuses if status >= Status.SUCCESS]:
        alternatives.append(f"(finished_at <= ? AND outcome IN ({', '.join('?' * len(final))}))")
        values += [now, *final]
    for status in (known for known in _ACTIVE if known in statuses):
        alternatives.append(f"({_UNFINISHED} AND {_ACTIVE[status]})")
        values += [now] * (1 + _ACTIVE[status].count("?"))
    return f"({' OR '.join(alternatives)})" if alternatives else "0", values


def _order(page: PageQuery, statuses: Sequence[int] | None, now: int) -> str:
    only_finished = bool(statuses) and all(status >= Status.SUCCESS for status in statuses or ())
    if page.column != "finished_at" or only_finished:
        return Selection.order_by(page)
    # A run that has not finished sorts as PostgreSQL, which dbt Cloud uses, sorts NULL: above everything.
    nulls = "FIRST" if page.direction == "DESC" else "LAST"
    finished = f"CASE WHEN finished_at <= {now} THEN finished_at END {page.direction} NULLS {nulls}"
    return f"{finished}, id {page.direction}"


def _row(run: RunRecord) -> tuple[Any, ...]:
    return (*(getattr(run, name) for name in _FIELDS), json.dumps(run.trigger))


def _read(row: tuple[Any, ...]) -> RunRecord:
    values = list(row)
    values[-1] = json.loads(values[-1])
    for index in _BOOLEANS:
        values[index] = bool(values[index])
    return RunRecord(*values)

"""The table of runs."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from dbtcloud.local.model.records import RunRecord
from dbtcloud.local.store.interface import PageQuery, RunQuery
from dbtcloud.local.store.sqlite.queries import Selection, order_clause, run_conditions, select_page

# Beyond 32 bits, like the run ids of dbt Cloud: a client that stores them in 32 bits fails here, too.
_FIRST_RUN_ID = 70_403_100_000_001

_FIELDS = tuple(entry.name for entry in fields(RunRecord) if entry.name != "trigger")
_COLUMNS = ", ".join((*_FIELDS, "trigger_body"))
_BOOLEANS = tuple(_FIELDS.index(name) for name in ("docs", "sources"))


class SqliteRuns:
    """Implements `dbtcloud.local.store.interface.Runs`."""

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
        """Return one page of runs, with their statuses at `now`, and the total number."""
        conditions, values = run_conditions(query, now)
        order = order_clause(page.order_by, query.statuses, now)
        selection = Selection("runs", _COLUMNS, conditions, values, order)
        rows, total = select_page(self._database, selection, page)
        return [_read(row) for row in rows], total

    def latest_ids(self, job_ids: Iterable[int]) -> dict[int, int]:
        """Return the newest run id of each job."""
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


def _row(run: RunRecord) -> tuple[Any, ...]:
    return (*(getattr(run, name) for name in _FIELDS), json.dumps(run.trigger))


def _read(row: tuple[Any, ...]) -> RunRecord:
    values = list(row)
    values[-1] = json.loads(values[-1])
    for index in _BOOLEANS:
        values[index] = bool(values[index])
    return RunRecord(*values)

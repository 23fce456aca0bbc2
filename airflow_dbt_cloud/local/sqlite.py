"""The store in SQLite: `:memory:` for tests, a file that outlives the server otherwise."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from importlib import resources
from typing import Any, TypeVar

from airflow_dbt_cloud.local.models import Account, Definition, Job, Run, Status, Step
from airflow_dbt_cloud.local.run_sql import ordering, where
from airflow_dbt_cloud.local.store import DefinitionQuery, Page, RunQuery

D = TypeVar("D", bound=Definition)

FIRST_RUN_ID = 70_403_100_000_001
"""dbt Cloud's run ids are beyond 32 bits; so are ours, to meet those who assume otherwise."""

_RUN_COLUMNS = tuple(entry.name for entry in fields(Run) if entry.name != "trigger")
_SELECT_RUN = f"SELECT {', '.join(_RUN_COLUMNS)}, trigger_body FROM runs"  # noqa: S608 - our own column names


class SqliteStore:
    """Keeps everything in one SQLite database; use it from the thread that made it.

    Args:
        path: a file, or `:memory:`.
    """

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))

    def close(self) -> None:
        """Close the database; a file's journal is folded into it."""
        self._database.close()

    def clear(self) -> None:
        """Forget everything."""
        for table in ("definitions", "runs", "scripts", "steps", "step_logs"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names

    # Definitions

    def put(self, definition: Definition) -> None:
        """Keep an account, project, environment or job, in place of one with the same id."""
        body = asdict(definition)
        columns = [body.get(name) for name in ("account_id", "project_id", "environment_id")]
        row = (
            type(definition).__name__,
            body["id"],
            *columns,
            body["state"],
            body["created_at"],
            body["name"],
        )
        self._database.execute(
            "INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, json.dumps(body))
        )

    def get(self, kind: type[D], id_: int) -> D | None:
        """Return one definition, or None."""
        row = self._one("SELECT body FROM definitions WHERE kind = ? AND id = ?", kind.__name__, id_)
        return None if row is None else _definition(kind, row[0])

    def accounts(self) -> list[int]:
        """Return the ids of all accounts."""
        rows = self._database.execute(
            "SELECT id FROM definitions WHERE kind = ? ORDER BY id", (Account.__name__,)
        )
        return [id_ for (id_,) in rows]

    def next_id(self, kind: type[Definition]) -> int:
        """Return the first free id of a kind."""
        row = self._one("SELECT MAX(id) FROM definitions WHERE kind = ?", kind.__name__)
        return ((row and row[0]) or 0) + 1

    def find(self, kind: type[D], query: DefinitionQuery, page: Page) -> tuple[list[D], int]:
        """Return one page of definitions and how many there are in all."""
        values: list[Any]
        conditions, values = ["kind = ?", "account_id = ?"], [kind.__name__, query.account_id]
        for column, wanted in query.equal:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
        if query.name_contains is not None:
            conditions.append("instr(lower(name), lower(?)) > 0")
            values.append(query.name_contains)
        if query.name is not None:
            conditions.append("name = ?")
            values.append(query.name)
        rows, total = self._page("SELECT body FROM definitions", "definitions", conditions, values, page)
        return [_definition(kind, body) for (body,) in rows], total

    # Runs

    def add_runs(self, runs: Iterable[Run]) -> None:
        """Keep new runs, all or none of them."""
        marks = ", ".join("?" * (len(_RUN_COLUMNS) + 1))
        statement = f"INSERT INTO runs ({', '.join(_RUN_COLUMNS)}, trigger_body) VALUES ({marks})"  # noqa: S608
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany(statement, map(_run_row, runs))

    def next_run_id(self) -> int:
        """Return the first run id that has never been used."""
        row = self._one("SELECT MAX(id) FROM runs")
        return max(((row and row[0]) or 0) + 1, FIRST_RUN_ID)

    def run(self, id_: int) -> Run | None:
        """Return one run, or None."""
        row = self._one(f"{_SELECT_RUN} WHERE id = ?", id_)
        return None if row is None else _run(row)

    def find_runs(self, query: RunQuery, page: Page, now: int) -> tuple[list[Run], int]:
        """Return one page of runs, as they are at `now`, and how many there are in all."""
        conditions, values = where(query, now)
        order = ordering(page.order_by, query.statuses, now)
        rows, total = self._page(_SELECT_RUN, "runs", conditions, values, page, order)
        return [_run(row) for row in rows], total

    def latest_run_ids(self, job_ids: Iterable[int]) -> dict[int, int]:
        """Return the newest run id of each of these jobs."""
        newest = {id_: self._one("SELECT MAX(id) FROM runs WHERE job_id = ?", id_) for id_ in set(job_ids)}
        return {id_: row[0] for id_, row in newest.items() if row and row[0] is not None}

    def change_run(self, id_: int, **values: int | str | None) -> None:
        """Set instants, outcome or message of a run."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), id_))  # noqa: S608

    def unfinished(self) -> list[Run]:
        """Return the runs of real dbt that have not ended, oldest first."""
        statement = f"{_SELECT_RUN} WHERE finished_at IS NULL AND script IS NULL ORDER BY id"
        return [_run(row) for row in self._database.execute(statement)]

    def keep_script(self, body: Mapping[str, Any]) -> str:
        """Keep the life of pretended runs and return its name; equal lives share one."""
        text = json.dumps(body, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()
        self._database.execute("INSERT OR IGNORE INTO scripts VALUES (?, ?)", (name, text))
        return name

    def script(self, name: str) -> dict[str, Any]:
        """Return a kept life."""
        row = self._one("SELECT body FROM scripts WHERE name = ?", name)
        found: dict[str, Any] = {} if row is None else json.loads(row[0])
        return found

    # Steps of real runs

    def start_step(self, step: Step) -> None:
        """Keep a step that has begun."""
        row = (
            step.run_id,
            step.index,
            step.account_id,
            step.name,
            step.command,
            step.status,
            step.started_at,
        )
        self._database.execute("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)

    def log_step(self, run_id: int, index: int, text: str) -> None:
        """Append to a step's log."""
        statement = "INSERT INTO step_logs (run_id, step, body) VALUES (?, ?, ?)"
        self._database.execute(statement, (run_id, index, text))

    def finish_step(self, run_id: int, index: int, status: Status, now: int) -> None:
        """Note a step's end."""
        statement = "UPDATE steps SET status = ?, finished_at = ? WHERE run_id = ? AND step = ?"
        self._database.execute(statement, (status, now, run_id, index))

    def steps(self, run_id: int) -> list[Step]:
        """Return a run's steps in order, with their logs."""
        logs: dict[int, list[str]] = {}
        statement = "SELECT step, body FROM step_logs WHERE run_id = ? ORDER BY id"
        for index, text in self._database.execute(statement, (run_id,)):
            logs.setdefault(index, []).append(text)
        rows = self._database.execute(
            "SELECT run_id, account_id, step, name, status, command, started_at, finished_at "
            "FROM steps WHERE run_id = ? ORDER BY step",
            (run_id,),
        )
        return [
            Step(run, account, index, name, Status(status), *rest, logs="".join(logs.get(index, ())))
            for run, account, index, name, status, *rest in rows
        ]

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        return row

    def _page(
        self,
        select: str,
        table: str,
        conditions: list[str],
        values: list[Any],
        page: Page,
        order: str | None = None,
    ) -> tuple[list[tuple[Any, ...]], int]:
        condition = " AND ".join(conditions)
        total = self._one(f"SELECT COUNT(*) FROM {table} WHERE {condition}", *values)  # noqa: S608
        order = order or ordering(page.order_by)
        statement = f"{select} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
        rows = self._database.execute(statement, (*values, page.limit, page.offset)).fetchall()
        return rows, (total[0] if total else 0)


def _definition(kind: type[D], body: str) -> D:
    values = json.loads(body)
    if kind is Job:
        values["execute_steps"] = tuple(values["execute_steps"])
    return kind(**values)


def _run_row(run: Run) -> tuple[Any, ...]:
    return (*(getattr(run, name) for name in _RUN_COLUMNS), json.dumps(run.trigger))


def _run(row: tuple[Any, ...]) -> Run:
    *columns, script, trigger = row
    columns[-1] = bool(columns[-1])
    return Run(*columns, script, json.loads(trigger))

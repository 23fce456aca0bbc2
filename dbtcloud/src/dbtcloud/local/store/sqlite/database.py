"""The database and its tables."""

import sqlite3
from importlib import resources

from dbtcloud.local.store.interface import Definitions, Runs, Steps
from dbtcloud.local.store.sqlite.definitions import SqliteDefinitions
from dbtcloud.local.store.sqlite.runs import SqliteRuns
from dbtcloud.local.store.sqlite.steps import SqliteSteps

_PATIENCE_SECONDS = 1.0
_LATER_COLUMNS = {
    "sources": "INTEGER NOT NULL DEFAULT 0",
    "dbt_version": "TEXT",
    "git_branch": "TEXT",
    "git_sha": "TEXT",
}


class SqliteStore:
    """Keeps everything in one SQLite database; use it from the thread that made it.

    The file belongs to one process at a time: a second one gets `sqlite3.OperationalError`.

    Args:
        path: a file, or `:memory:`.
    """

    definitions: Definitions
    runs: Runs
    steps: Steps

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_SECONDS)
        try:
            self._database.executescript(
                resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
            )
            self._add_columns()
        except sqlite3.Error:
            self._database.close()
            raise
        self.definitions = SqliteDefinitions(self._database)
        self.runs = SqliteRuns(self._database)
        self.steps = SqliteSteps(self._database)

    def _add_columns(self) -> None:
        """Bring a file of an earlier version up to date: what came later is added, empty."""
        there = {name for _, name, *_ in self._database.execute("PRAGMA table_info(runs)")}
        for name, declaration in _LATER_COLUMNS.items():
            if name not in there:
                self._database.execute(f"ALTER TABLE runs ADD COLUMN {name} {declaration}")

    def clear(self) -> None:
        """Forget everything."""
        for table in ("definitions", "runs", "scripts", "steps", "step_logs"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names

    def close(self) -> None:
        """Close the database; a file's journal is folded into it."""
        self._database.close()

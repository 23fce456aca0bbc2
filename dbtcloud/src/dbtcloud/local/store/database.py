"""The SQLite database and its tables."""

import sqlite3
from importlib import resources

from dbtcloud.local.store.definitions import DefinitionTable
from dbtcloud.local.store.runs import RunTable
from dbtcloud.local.store.steps import StepTables

_LOCK_TIMEOUT_SECONDS = 1.0
_ADDED_COLUMNS = {
    "sources": "INTEGER NOT NULL DEFAULT 0",
    "dbt_version": "TEXT",
    "git_branch": "TEXT",
    "git_sha": "TEXT",
}


class Store:
    """The state of a server in one SQLite database. Only the thread that created it may use it.

    One process at a time can use a file. A second one gets `sqlite3.OperationalError`.

    Args:
        path: a file, or `:memory:`.

    Attributes:
        definitions: the accounts, projects, environments, jobs, variables and webhook subscriptions.
        runs: the runs.
        steps: the steps of real runs. Those of simulated runs follow from their scripts.
    """

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_TIMEOUT_SECONDS)
        try:
            self._database.executescript(
                resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
            )
            self._add_columns()
        except sqlite3.Error:
            self._database.close()
            raise
        self.definitions = DefinitionTable(self._database)
        self.runs = RunTable(self._database)
        self.steps = StepTables(self._database)

    def _add_columns(self) -> None:
        # A file of an earlier version does not have them.
        existing = {name for _, name, *_ in self._database.execute("PRAGMA table_info(runs)")}
        for name, declaration in _ADDED_COLUMNS.items():
            if name not in existing:
                self._database.execute(f"ALTER TABLE runs ADD COLUMN {name} {declaration}")

    def clear(self) -> None:
        """Delete everything."""
        for table in ("definitions", "runs", "scripts", "steps", "step_logs"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names

    def close(self) -> None:
        """Close the database."""
        self._database.close()

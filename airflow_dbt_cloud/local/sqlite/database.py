"""The database and its tables."""

import sqlite3
from importlib import resources

from airflow_dbt_cloud.local.sqlite.definitions import SqliteDefinitions
from airflow_dbt_cloud.local.sqlite.runs import SqliteRuns
from airflow_dbt_cloud.local.sqlite.steps import SqliteSteps
from airflow_dbt_cloud.local.store import Definitions, Runs, Steps


class SqliteStore:
    """Keeps everything in one SQLite database; use it from the thread that made it.

    Args:
        path: a file, or `:memory:`.
    """

    definitions: Definitions
    runs: Runs
    steps: Steps

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
        self.definitions = SqliteDefinitions(self._database)
        self.runs = SqliteRuns(self._database)
        self.steps = SqliteSteps(self._database)

    def clear(self) -> None:
        """Forget everything."""
        for table in ("definitions", "runs", "scripts", "steps", "step_logs"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names

    def close(self) -> None:
        """Close the database; a file's journal is folded into it."""
        self._database.close()

"""The store in SQLite: `:memory:` for tests, a file that outlives the server otherwise."""

from airflow_dbt_cloud.local.sqlite.database import SqliteStore

__all__ = ["SqliteStore"]

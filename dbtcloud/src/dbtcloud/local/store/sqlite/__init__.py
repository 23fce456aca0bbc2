"""The store in SQLite: `:memory:` for tests, a file that outlives the server otherwise."""

from dbtcloud.local.store.sqlite.database import SqliteStore

__all__ = ["SqliteStore"]

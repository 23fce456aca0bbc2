"""The store in SQLite: in memory, or in a file that outlives the server."""

from dbtcloud.local.store.sqlite.database import SqliteStore

__all__ = ["SqliteStore"]

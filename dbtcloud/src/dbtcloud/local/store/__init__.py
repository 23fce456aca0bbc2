"""The interface of the store, and its implementation in SQLite."""

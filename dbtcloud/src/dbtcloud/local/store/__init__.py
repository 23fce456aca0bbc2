"""The store: the definitions and runs of a server in SQLite, in memory or in a file."""

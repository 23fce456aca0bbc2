"""The status codes of runs, in a module of their own because DAG files import it."""

from __future__ import annotations

from enum import IntEnum


class RunStatus(IntEnum):
    """A run's status code (API v2, "Retrieve Run", field `status`)."""

    QUEUED = 1
    STARTING = 2
    RUNNING = 3
    SUCCESS = 10
    ERROR = 20
    CANCELLED = 30

    @classmethod
    def name_of(cls, status: int) -> str:
        """Return the name of a status code, such as "Running", or "status 42" for an unknown code."""
        try:
            return cls(status).name.capitalize()
        except ValueError:
            return f"status {status}"


UNFINISHED = frozenset({RunStatus.QUEUED, RunStatus.STARTING, RunStatus.RUNNING})
FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.ERROR, RunStatus.CANCELLED})

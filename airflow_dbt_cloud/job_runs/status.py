"""Status codes of job runs and the check of trigger events, with few imports for fast DAG files."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, TypedDict

from airflow_dbt_cloud.exceptions import DbtCloudTriggerEventException
from dbtcloud.client.run_status import FINISHED, UNFINISHED, RunStatus

DBT_CAUSE_MAX_LENGTH = 255  # that of `dbtcloud.client.marker`, which DAG files need not import
"""Maximum length of a run's cause; dbt Cloud refuses longer ones."""

TRIGGER_EVENT_STATUSES = frozenset({"success", "cancelled", "error", "timeout"})
"""Possible values of `status` in a trigger's event."""


class JobRunInfo(TypedDict):
    """Identifies a run."""

    account_id: int | None
    run_id: int


class DbtCloudJobRunStatus(Enum):
    """Status codes of a run (API v2 "Retrieve Run"), and their two groups."""

    QUEUED = int(RunStatus.QUEUED)
    STARTING = int(RunStatus.STARTING)
    RUNNING = int(RunStatus.RUNNING)
    SUCCESS = int(RunStatus.SUCCESS)
    ERROR = int(RunStatus.ERROR)
    CANCELLED = int(RunStatus.CANCELLED)
    NON_TERMINAL_STATUSES = tuple(sorted(map(int, UNFINISHED)))
    TERMINAL_STATUSES = tuple(sorted(map(int, FINISHED)))

    @classmethod
    def check_is_valid(cls, statuses: int | Sequence[int] | set[int]) -> None:
        """Check that dbt Cloud has these status codes.

        Raises:
            ValueError: If it lacks one, which the message names.
        """
        for status in (statuses,) if isinstance(statuses, int) else statuses:
            cls(status)

    @classmethod
    def is_terminal(cls, status: int) -> bool:
        """Return whether a run with this code has ended. An unknown code counts as not ended."""
        return status in FINISHED


def validate_execute_complete_event(event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the event that a trigger sent.

    Raises:
        DbtCloudTriggerEventException: If there is none, or its status is not one of `TRIGGER_EVENT_STATUSES`.
    """
    if isinstance(event, dict) and event.get("status") in TRIGGER_EVENT_STATUSES:
        return event
    # The first words are those of the official provider, which people match.
    if isinstance(event, dict):
        wrong = f"Unexpected trigger event status {event.get('status')!r}"
    else:
        wrong = f"The trigger's event is {event!r}"
    raise DbtCloudTriggerEventException(
        f"{wrong}. A dbt Cloud trigger sends one of {', '.join(sorted(TRIGGER_EVENT_STATUSES))}. "
        "Clear the task to check the run again."
    )

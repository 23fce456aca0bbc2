"""The words that operators, sensors and triggers share about a job run; light, so that DAGs parse fast."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, TypedDict

from airflow_dbt_cloud.exceptions import DbtCloudTriggerEventException
from dbtcloud.client.marker import CAUSE_MAX_LENGTH
from dbtcloud.client.models import FINISHED, UNFINISHED, RunStatus

DBT_CAUSE_MAX_LENGTH = CAUSE_MAX_LENGTH
"""Characters of a run's cause; dbt Cloud refuses longer ones."""

TRIGGER_EVENT_STATUSES = frozenset({"success", "cancelled", "error", "timeout"})
"""What the `status` of a trigger's event can be."""


class JobRunInfo(TypedDict):
    """Which run is meant."""

    account_id: int | None
    run_id: int


class DbtCloudJobRunStatus(Enum):
    """Status codes of a run (API v2 "Retrieve Run"), and the two groups of them."""

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
        """Refuse a status code that dbt Cloud does not have.

        Raises:
            ValueError: Naming the code.
        """
        for status in (statuses,) if isinstance(statuses, int) else statuses:
            cls(status)

    @classmethod
    def is_terminal(cls, status: int) -> bool:
        """Whether a run with this code has ended; a code not known here has not."""
        return status in FINISHED


def validate_execute_complete_event(event: dict[str, Any] | None = None) -> dict[str, Any]:
    """The event that a trigger sent, if it can be understood.

    Raises:
        DbtCloudTriggerEventException: If there is none, or its status is not one of `TRIGGER_EVENT_STATUSES`.
    """
    if not isinstance(event, dict) or event.get("status") not in TRIGGER_EVENT_STATUSES:
        raise DbtCloudTriggerEventException(
            f"The trigger sent {event!r}, which is not an event of a dbt Cloud trigger. "
            f"Its 'status' should be one of {', '.join(sorted(TRIGGER_EVENT_STATUSES))}. "
            "Clear the task to look at the run anew."
        )
    return event

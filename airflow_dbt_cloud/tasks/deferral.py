"""Deadlines, checks and constants for a wait that continues in the triggerer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

# What the trigger's event calls the status codes with which a run ends.
_EVENT_STATUSES = {10: "success", 20: "error", 30: "cancelled"}

FIRST_POLL_DELAY = 6.0
"""Seconds from the deferral to the trigger's first poll. An earlier event may arrive while the scheduler is
still storing the deferral, and then fails the task (apache/airflow #66374, #67287, #72716). A shorter timeout
is noticed after that time."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when a task waits for its run.

    Attributes:
        end_time: When the wait ends, in seconds since the epoch.
        execution_deadline: When the task's execution timeout passes, or None. Airflow does not count the time
            in the triggerer towards it, so the trigger does.
    """

    end_time: float
    execution_deadline: float | None = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any], timeout: float) -> Self:
        """Return the deadlines that a trigger's event hands back, or new ones where it has none."""
        return cls(event.get("end_time") or time.time() + timeout, event.get("execution_deadline"))

    def seconds_left(self) -> float:
        """Return the seconds to the earlier deadline, at least 0."""
        first = min(self.end_time, self.execution_deadline or self.end_time)
        return max(0.0, first - time.time())

    @property
    def execution_timeout_passed(self) -> bool:
        """Whether the task's execution timeout has passed."""
        return self.execution_deadline is not None and time.time() >= self.execution_deadline


def poll_after_timeout(
    hook: DbtCloudHook, account_id: int | str | None, event: dict[str, Any], log: Logger
) -> dict[str, Any]:
    """Return a trigger's event, or for a timeout what the event would say now.

    The run may have ended since the trigger's last poll, which may be a whole interval ago. An event of
    another trigger than those of our own tasks counts as it is.
    """
    if event["status"] != "timeout" or not is_of_our_trigger(event):
        return event
    from dbtcloud.client.run_wait import LAST_POLL_SECONDS
    from dbtcloud.client.transport.time_limit import time_limit

    try:
        with time_limit(LAST_POLL_SECONDS):
            status = hook.get_job_run_status(run_id=event["run_id"], account_id=account_id)
    except Exception as error:  # noqa: BLE001 -- then the event counts as it is
        log.warning("Could not poll job run %s once more: %s", event["run_id"], error)
        return event
    known = _EVENT_STATUSES.get(status)
    return {**event, "status": known, "message": None} if known else event


def is_of_our_trigger(event: Mapping[str, Any]) -> bool:
    """Return whether an event comes from a task of ours, not from a test or from another provider."""
    return event.get("owned") is not None


def storable_hook_params(hook_params: Mapping[str, Any], log: Logger) -> dict[str, Any]:
    """Return the hook's arguments that the triggerer can store, and warn of the others."""
    storable = {name: value for name, value in hook_params.items() if _is_json(value)}
    if dropped := [f"hook_params[{name!r}]" for name in sorted(set(hook_params) - set(storable))]:
        log.warning("%s cannot be sent to the triggerer, which continues without.", " and ".join(dropped))
    return storable


def require_storable(**arguments: object) -> None:
    """Raise ValueError for an argument of a trigger that Airflow cannot store, naming it."""
    for name, value in arguments.items():
        if not _is_json(value):
            raise ValueError(f"{name}={value!r} cannot be sent to the triggerer; only JSON values can.")


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True

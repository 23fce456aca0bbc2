"""What a task heeds when it hands its waiting over to the triggerer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

ENDED = {10: "success", 20: "error", 30: "cancelled"}
"""What the trigger's event calls the ways in which a run ends."""

FIRST_LOOK = 6.0
"""Seconds from deferral to the trigger's first look; sooner, the scheduler may still be writing the deferral
down and then fails the task (apache/airflow #66374, #67287, #72716)."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when a run is waited for.

    Attributes:
        end_time: When the waiting ends, in seconds since the epoch.
        execution_deadline: When the task's execution timeout passes, or None. Airflow does not count the time
            in the triggerer towards it, so the trigger does.
    """

    end_time: float
    execution_deadline: float | None = None

    @classmethod
    def of_event(cls, event: Mapping[str, Any], timeout: float) -> Self:
        """The deadlines that a trigger's event hands back, or new ones where it has none."""
        return cls(event.get("end_time") or time.time() + timeout, event.get("execution_deadline"))

    def left(self) -> float:
        """Seconds to the first of them."""
        first = min(self.end_time, self.execution_deadline or self.end_time)
        return max(0.0, first - time.time())

    def leave(self, seconds: float) -> bool:
        """Whether there are more than some seconds before the first of them."""
        return self.left() > seconds

    @property
    def forbid_execution(self) -> bool:
        """Whether the task's execution timeout has passed."""
        return self.execution_deadline is not None and time.time() >= self.execution_deadline


def ended_since(
    hook: DbtCloudHook, account_id: int | str | None, event: dict[str, Any], log: Logger
) -> dict[str, Any]:
    """A trigger's event, or what it would say now: the run may have ended since the trigger's last look."""
    try:
        status = hook.get_job_run_status(run_id=event["run_id"], account_id=account_id)
    except Exception as error:  # noqa: BLE001 -- the event says what is to be told then
        log.warning("Could not look at job run %s once more: %s", event["run_id"], error)
        return event
    return {**event, "status": ENDED[status], "message": None} if status in ENDED else event


def passable_hook_params(hook_params: Mapping[str, Any], log: Logger) -> dict[str, Any]:
    """The hook's arguments that can go to the triggerer; others are dropped with a warning."""
    passable = {name: value for name, value in hook_params.items() if _is_json(value)}
    if dropped := sorted(set(hook_params) - set(passable)):
        log.warning(
            "%s of hook_params cannot be sent to the triggerer, which goes on without.", " and ".join(dropped)
        )
    return passable


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def require_json(trigger: Any) -> None:
    """Refuse a trigger that cannot be stored, before a run is started for it.

    Raises:
        ValueError: Naming the argument.
    """
    for name, value in trigger.serialize()[1].items():
        if not _is_json(value):
            raise ValueError(f"{name}={value!r} cannot be sent to the triggerer; only JSON values can.")

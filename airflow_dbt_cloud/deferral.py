"""What a task heeds when it hands its waiting over to the triggerer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

FIRST_LOOK = 6.0
"""Seconds from deferral to the trigger's first look; sooner, the scheduler may still be writing the deferral
down and then fails the task (apache/airflow #66374, #67287, #72716)."""


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

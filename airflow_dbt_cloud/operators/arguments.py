"""What operators do with arguments that they were not made for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

MEANT = {
    "cause": "trigger_reason",
    "wait_for_completion": "wait_for_termination",
    "poll_interval": "check_interval",
    "poke_interval": "check_interval",
    "polling_interval": "check_interval",
    "threads": "threads_override",
    "target": "target_name_override",
    "target_name": "target_name_override",
    "schema": "schema_override",
    "steps": "steps_override",
    "branch": "git_branch",
}
"""Names that people write, and the argument that they mean."""


def explain_unknown(kwargs: Mapping[str, Any]) -> None:
    """Refuse an argument that goes by another name here, and say which.

    Raises:
        TypeError: Naming both.
    """
    for name in kwargs:
        if name in MEANT:
            raise TypeError(f"DbtCloudRunJobOperator has no argument {name!r}. Did you mean {MEANT[name]!r}?")


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

"""What operators do with arguments that they were not made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """The value, if it is one of those known.

    Raises:
        ValueError: Naming them.
    """
    if value not in known:
        raise ValueError(f"{name} is {value!r}. It has to be one of {', '.join(map(repr, known))}.")
    return value

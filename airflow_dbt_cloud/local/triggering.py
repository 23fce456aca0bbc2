"""The body that starts a run: its cause and overrides, checked as dbt Cloud checks them."""

from collections.abc import Mapping
from typing import Any

from airflow_dbt_cloud.local.errors import invalid, unexpected
from airflow_dbt_cloud.local.models import STEPS_PER_RUN

CAUSE_MAX_LENGTH = 255
"""A longer cause is refused (apache/airflow#34676; it is in no specification)."""

_MOST_STEPS = STEPS_PER_RUN - 10  # cloning, the profile and the docs are steps too

_TYPES: Mapping[str, tuple[type, str]] = {
    "cause": (str, "string"),
    "git_sha": (str, "string"),
    "git_branch": (str, "string"),
    "azure_pull_request_id": (int, "integer"),
    "github_pull_request_id": (int, "integer"),
    "gitlab_merge_request_id": (int, "integer"),
    "non_native_pull_request_id": (int, "integer"),
    "schema_override": (str, "string"),
    "dbt_version_override": (str, "string"),
    "threads_override": (int, "integer"),
    "target_name_override": (str, "string"),
    "generate_docs_override": (bool, "boolean"),
    "timeout_seconds_override": (int, "integer"),
    "steps_override": (list, "array"),
}


def read_trigger(body: Any) -> dict[str, Any]:
    """Return the overrides that a run is to be started with, nulls left out.

    Raises:
        Refusal: 400 for a missing, empty or overlong cause, a field of the wrong type, an unknown field.
    """
    if not isinstance(body, dict):
        raise invalid(f"{body!r} is not of type 'object'")
    if strange := [name for name in body if name not in _TYPES]:
        raise unexpected(strange)
    given = {name: value for name, value in body.items() if value is not None}
    if wrong := {name: text for name, value in given.items() if (text := _misfit(name, value))}:
        raise invalid(wrong)
    _check_cause(given.get("cause"))
    if len(given.get("steps_override", ())) > _MOST_STEPS:
        raise invalid({"steps_override": f"{given['steps_override']!r} is too long"})
    return given


def _misfit(name: str, value: Any) -> str | None:
    expected, word = _TYPES[name]
    fits = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
    if fits and expected is list:
        fits = all(isinstance(step, str) for step in value)
    return None if fits else f"{value!r} is not of type {word!r}"


def _check_cause(cause: str | None) -> None:
    if cause is None:
        raise invalid({"cause": "'cause' is a required property"})
    if not cause:
        raise invalid({"cause": "'' is too short"})
    if len(cause) > CAUSE_MAX_LENGTH:
        raise invalid({"cause": f"{cause!r} is too long"})

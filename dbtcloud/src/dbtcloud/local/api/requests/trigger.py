"""The body that starts a run: its cause and overrides, checked as dbt Cloud checks them."""

from typing import Any

from dbtcloud.local.model.api_errors import invalid, unexpected
from dbtcloud.local.model.field_types import Fields, check, check_least, check_object
from dbtcloud.local.model.records import STEPS_PER_RUN

CAUSE_MAX_LENGTH = 255
"""A longer cause is refused (apache/airflow#34676; it is in no specification)."""

_MOST_STEPS = STEPS_PER_RUN - 10  # cloning, the profile and the docs are steps too

TRIGGER_FIELDS: Fields = {
    "cause": "string",
    "git_sha": "string",
    "git_branch": "string",
    "azure_pull_request_id": "integer",
    "github_pull_request_id": "integer",
    "gitlab_merge_request_id": "integer",
    "non_native_pull_request_id": "integer",
    "schema_override": "string",
    "dbt_version_override": "string",
    "threads_override": "integer",
    "target_name_override": "string",
    "generate_docs_override": "boolean",
    "timeout_seconds_override": "integer",
    "steps_override": "array of string",
}
"""`TriggerRunRequestRequest` of the published specification."""

_OF_THE_PATH = {"account_id", "job_id"}  # what dbt-cloud-cli repeats in the body, and dbt Cloud passes over


def read_trigger(body: Any) -> dict[str, Any]:
    """Return the overrides that a run is to be started with, nulls left out.

    Raises:
        Refusal: 400 for a missing, empty or overlong cause, a field of the wrong type, an unknown field.
    """
    if strange := [name for name in check_object(body) if name not in {*TRIGGER_FIELDS, *_OF_THE_PATH}]:
        raise unexpected(strange)
    check(body, TRIGGER_FIELDS)
    given = {name: body[name] for name in TRIGGER_FIELDS if body.get(name) is not None}
    check_least(given, {"threads_override": 1, "timeout_seconds_override": 0})
    _check_cause(given.get("cause"))
    if empty := {name: "'' is too short" for name, value in given.items() if value == ""}:
        raise invalid(empty)
    if len(given.get("steps_override", ())) > _MOST_STEPS:
        raise invalid({"steps_override": f"{given['steps_override']!r} is too long"})
    return given


def _check_cause(cause: str | None) -> None:
    if cause is None:
        raise invalid({"cause": "'cause' is a required property"})
    if not cause:
        raise invalid({"cause": "'' is too short"})
    if len(cause) > CAUSE_MAX_LENGTH:
        raise invalid({"cause": f"{cause!r} is too long"})

"""The bodies that create and update jobs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.body_schema import BodySchema, check_body, check_minimum, check_object, check_state
from dbtcloud.local.model.records import JobRecord
from dbtcloud.local.orchestration.schedule import CronExpression, normalise_schedule

_FIELDS: BodySchema = {
    "name": "string",
    "project_id": "integer",
    "environment_id": "integer",
    "description": "string",
    "execute_steps": "array of string",
    "generate_docs": "boolean",
    "job_type": "string",
    "dbt_version": "string",
    "run_generate_sources": "boolean",
    "triggers": "object",
    "job_completion_trigger_condition": "object",
    "deferring_environment_id": "integer",
    "deferring_job_definition_id": "integer",
    "state": "integer",
}
_SHOWN: BodySchema = {
    "lifecycle_webhooks": "boolean",
    "run_compare_changes": "boolean",
    "compare_changes_flags": "string",
    "run_lint": "boolean",
    "errors_on_lint_failure": "boolean",
    "cost_optimization_features": "array of string",
    "triggers_on_draft_pr": "boolean",
}
_NESTED: Mapping[str, BodySchema] = {
    "settings": {"threads": "integer", "target_name": "string"},
    "execution": {"timeout_seconds": "integer"},
}
JOB_SCHEMA: BodySchema = {**_FIELDS, **_SHOWN, **dict.fromkeys(_NESTED, "object"), "schedule": "object"}
"""`HumanReadableJobDefinitionRequest` of the published specification, without fields that are ignored."""

_MAY_BE_NULL = {
    "dbt_version",
    "job_completion_trigger_condition",
    "deferring_environment_id",
    "deferring_job_definition_id",
}
_TYPES = ("ci", "scheduled", "other", "merge", "exposure_sync", "adaptive", "hybrid")
_MAX_DESCRIPTION_LENGTH = 255


def new_job(body: Any, job: JobRecord) -> JobRecord:
    """Return a new job: `job`, which has only an id and an account, with the fields of the body.

    Raises:
        ApiException: 400: a field is missing or of another type; 500: the description has more than 255
            characters, as dbt Cloud itself answers (dbt-jobs-as-code#204).
    """
    check_body(check_object(body), JOB_SCHEMA, ("name", "project_id", "environment_id"))
    filled = updated_job(body, job)
    if body.get("job_type") is None and filled.triggers.get("schedule"):
        return replace(filled, job_type="scheduled")
    return filled


def updated_job(body: Any, job: JobRecord) -> JobRecord:
    """Return a job with the changes of the body. Read-only and unknown fields are ignored."""
    check_body(check_object(body), JOB_SCHEMA)
    _check_values(body)
    own = {name: body[name] for name in _FIELDS if name in body and _is_given(name, body[name])}
    if "execute_steps" in own:
        own["execute_steps"] = tuple(own["execute_steps"])
    if body.get("schedule") is not None:
        own["schedule"] = _schedule(body["schedule"])
    shown = {name: body[name] for name in _SHOWN if body.get(name) is not None}
    return replace(job, **own, **_nested(body), shown={**job.shown, **shown})


def _schedule(body: Mapping[str, Any]) -> dict[str, Any]:
    schedule = normalise_schedule(body)
    if not CronExpression(schedule["cron"]).is_valid:
        raise ApiException.bad_request({"schedule": f"{schedule['cron']!r} is not a cron expression"})
    return schedule


def _nested(body: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for outer, fields in _NESTED.items():
        inner = body.get(outer) or {}
        check_body(inner, fields)
        check_minimum(inner, {"threads": 1, "timeout_seconds": 0})
        values |= {name: inner[name] for name in fields if inner.get(name) is not None}
    return values


def _check_values(body: Mapping[str, Any]) -> None:
    check_state(body)
    if body.get("name") == "":
        raise ApiException.bad_request({"name": "'' is too short"})
    if (kind := body.get("job_type")) is not None and kind not in _TYPES:
        raise ApiException.bad_request({"job_type": f"{kind!r} is not one of {list(_TYPES)!r}"})
    if len(body.get("description") or "") > _MAX_DESCRIPTION_LENGTH:
        raise ApiException(500, "An unexpected error occurred.")


def _is_given(name: str, value: Any) -> bool:
    return value is not None or name in _MAY_BE_NULL

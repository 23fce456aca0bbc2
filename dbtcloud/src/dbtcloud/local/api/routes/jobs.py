"""Jobs: list, get, create, update, delete."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.query import PAGING, QuerySchema
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.include_related import RelatedObjects
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import DELETED, EnvironmentRecord, JobRecord
from dbtcloud.local.model.request_body import BodySchema, RequestBody
from dbtcloud.local.orchestration.schedule import CronExpression, normalise_schedule

_FILTERS: QuerySchema = {
    **PAGING,
    "dbt_version__in": "array of string",
    "environment_id": "integer",
    "is_fusion_ready": "boolean",
    "is_system": "boolean",
    "name__icontains": "string",
    "order_by": ("id", "name", "created_at"),
    "pk": "integer",
    "pk__in": "array of integer",
    "project_id": "integer",
    "project_id__in": "array of integer",
    "state": "state",
    "triggers_schedule": "boolean",
}

_BODY_FIELDS: BodySchema = {
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
_BODY_SHOWN: BodySchema = {
    "lifecycle_webhooks": "boolean",
    "run_compare_changes": "boolean",
    "compare_changes_flags": "string",
    "run_lint": "boolean",
    "errors_on_lint_failure": "boolean",
    "cost_optimization_features": "array of string",
    "triggers_on_draft_pr": "boolean",
}
_BODY_NESTED: Mapping[str, BodySchema] = {
    "settings": {"threads": "integer", "target_name": "string"},
    "execution": {"timeout_seconds": "integer"},
}
_SCHEMA: BodySchema = {
    **_BODY_FIELDS,
    **_BODY_SHOWN,
    **dict.fromkeys(_BODY_NESTED, "object"),
    "schedule": "object",
}
"""`HumanReadableJobDefinitionRequest` of the published specification, without fields that are ignored."""

_MAY_BE_NULL = {
    "dbt_version",
    "job_completion_trigger_condition",
    "deferring_environment_id",
    "deferring_job_definition_id",
}
_JOB_TYPES = ("ci", "scheduled", "other", "merge", "exposure_sync", "adaptive", "hybrid")
_MAX_DESCRIPTION_LENGTH = 255


async def _list_jobs(call: ApiCall) -> web.Response:
    """Return a page of jobs. None is a system job, and none is ready for Fusion."""
    account, parameters, cloud = call.account(), call.query(_FILTERS), call.cloud
    matches_none = parameters.values.get("is_system") or parameters.values.get("is_fusion_ready")
    within: dict[str, list[int]] = {"id": []} if matches_none else {}
    query = parameters.definition_query(account.id, within)
    jobs, total = cloud.store.definitions.find(JobRecord, query, parameters.page())
    related = RelatedObjects(cloud)
    contents = [related.job(job, parameters.include) for job in jobs]
    return list_response(contents, total, parameters.page(), parameters.applied_filters(account.id))


async def _get_job(call: ApiCall) -> web.Response:
    """Return one job."""
    include = call.query({}).include
    return data_response(RelatedObjects(call.cloud).job(call.definition(JobRecord, "job_id"), include))


async def _create_job(call: ApiCall) -> web.Response:
    """Create a job and return it with 201."""
    account, cloud = call.account(), call.cloud
    empty = JobRecord(
        cloud.store.definitions.next_id(JobRecord), "", account.id, created_at=cloud.clock.now()
    )
    body = await call.body(_SCHEMA)
    job = _new_job(body, replace(empty, threads=1))
    _check_owners(call, job, body)
    cloud.store.definitions.put(job)
    return data_response(RelatedObjects(cloud).job(job), 201)


async def _update_job(call: ApiCall) -> web.Response:
    """Update a job. A state of 2 deletes it."""
    job, cloud = call.definition(JobRecord, "job_id"), call.cloud
    body = await call.body(_SCHEMA)
    changed = replace(_updated_job(body, job), updated_at=cloud.clock.now())
    _check_owners(call, changed, body)
    if changed.state == DELETED:
        changed = cloud.delete(changed)
    cloud.store.definitions.put(changed)
    return data_response(RelatedObjects(cloud).job(changed))


async def _delete_job(call: ApiCall) -> web.Response:
    """Delete a job and cancel its unfinished runs."""
    cloud = call.cloud
    return data_response(RelatedObjects(cloud).job(cloud.delete(call.definition(JobRecord, "job_id"))))


def _check_owners(call: ApiCall, job: JobRecord, body: dict[str, object]) -> None:
    """Check that a job has the account of the path and an environment of its project."""
    if body.get("account_id") not in {None, job.account_id}:
        raise ApiException.bad_request(
            {"account_id": f"{body['account_id']!r} is not the account of the path"}
        )
    environment = call.cloud.store.definitions.get(EnvironmentRecord, job.environment_id)
    owners = (job.account_id, job.project_id)
    if environment is None or (environment.account_id, environment.project_id) != owners:
        raise ApiException.not_found()


def _new_job(body: Any, job: JobRecord) -> JobRecord:
    """Return a new job with the fields of the body.

    Args:
        body: the body.
        job: the job with an id, an account, and the default of each other field.

    Raises:
        ApiException: 400: a field is missing or of another type; 500: the description has more than 255
            characters, as dbt Cloud itself answers (dbt-jobs-as-code#204).
    """
    RequestBody.check(RequestBody.as_object(body), _SCHEMA, ("name", "project_id", "environment_id"))
    filled = _updated_job(body, job)
    if body.get("job_type") is None and filled.triggers.get("schedule"):
        return replace(filled, job_type="scheduled")
    return filled


def _updated_job(body: Any, job: JobRecord) -> JobRecord:
    """Return a job with the changes of the body. Read-only and unknown fields are ignored."""
    RequestBody.check(RequestBody.as_object(body), _SCHEMA)
    _check_values(body)
    own = {name: body[name] for name in _BODY_FIELDS if name in body and _is_given(name, body[name])}
    if "execute_steps" in own:
        own["execute_steps"] = tuple(own["execute_steps"])
    if body.get("schedule") is not None:
        own["schedule"] = _schedule(body["schedule"])
    shown = {name: body[name] for name in _BODY_SHOWN if body.get(name) is not None}
    return replace(job, **own, **_nested(body), shown={**job.shown, **shown})


def _schedule(body: Mapping[str, Any]) -> dict[str, Any]:
    schedule = normalise_schedule(body)
    if not CronExpression(schedule["cron"]).is_valid:
        raise ApiException.bad_request({"schedule": f"{schedule['cron']!r} is not a cron expression"})
    return schedule


def _nested(body: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for outer, fields in _BODY_NESTED.items():
        inner = body.get(outer) or {}
        RequestBody.check(inner, fields)
        RequestBody.check_minimum(inner, {"threads": 1, "timeout_seconds": 0})
        values |= {name: inner[name] for name in fields if inner.get(name) is not None}
    return values


def _check_values(body: Mapping[str, Any]) -> None:
    RequestBody.check_state(body)
    if body.get("name") == "":
        raise ApiException.bad_request({"name": "'' is too short"})
    if (kind := body.get("job_type")) is not None and kind not in _JOB_TYPES:
        raise ApiException.bad_request({"job_type": f"{kind!r} is not one of {list(_JOB_TYPES)!r}"})
    if len(body.get("description") or "") > _MAX_DESCRIPTION_LENGTH:
        raise ApiException(500, "An unexpected error occurred.")


def _is_given(name: str, value: Any) -> bool:
    return value is not None or name in _MAY_BE_NULL


_JOBS = "/api/v2/accounts/{account_id}/jobs/"
_JOB = f"{_JOBS}{{job_id}}/"
_NO_EFFECT = (
    "Deferral, lint, compare changes, cost optimisation and webhooks of git providers are stored and shown, "
    "and have no effect."
)

ROUTES = (
    Route(
        "GET",
        _JOBS,
        _list_jobs,
        ("jobs", "read"),
        "`is_system=true` and `is_fusion_ready=true` find nothing. `custom_environment_variables` and "
        "`fusion_readiness` are not included.",
    ),
    Route("POST", _JOBS, _create_job, ("jobs", "write"), _NO_EFFECT),
    Route("GET", _JOB, _get_job, ("jobs", "read"), "`fusion_readiness` is not included."),
    Route(
        "POST",
        _JOB,
        _update_job,
        ("jobs", "write"),
        f"Fields that are not in the body stay as they are; dbt Cloud requires the whole job. {_NO_EFFECT}",
    ),
    Route(
        "DELETE",
        _JOB,
        _delete_job,
        ("jobs", "write"),
        "Answers 200 and the job, as dbt Cloud does, where the specification says 204.",
    ),
)

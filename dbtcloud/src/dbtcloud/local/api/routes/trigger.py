"""The endpoints that start runs of a job: `run/` and `rerun/`."""

from typing import Any

from aiohttp import web

from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.include_related import RelatedObjects
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import STEPS_PER_RUN, JobRecord
from dbtcloud.local.model.request_body import BodySchema, RequestBody
from dbtcloud.local.orchestration.retries import RunRetry

_CAUSE_MAX_LENGTH = 255  # seen in apache/airflow#34676, not in a specification

_MAX_STEPS = STEPS_PER_RUN - 10  # cloning, the profile and the docs are steps as well

_SCHEMA: BodySchema = {
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

_PATH_PARAMETERS = {"account_id", "job_id"}  # dbt-cloud-cli repeats them in the body; dbt Cloud ignores them


async def _trigger_job(call: ApiCall) -> web.Response:
    """Start a run of a job and return it with its trigger and its job."""
    job, cloud = call.definition(JobRecord, "job_id"), call.cloud
    trigger = _read_trigger(await call.body(_SCHEMA))
    return data_response(RelatedObjects(cloud).started_run(cloud.start(job, trigger)))


async def _rerun_job(call: ApiCall) -> web.Response:
    """Retry the job's newest run from its failed step if that is possible, or start a new run."""
    job, cloud = call.definition(JobRecord, "job_id"), call.cloud
    related = RelatedObjects(cloud)
    newest = related.newest_run(job)
    if newest is not None:
        retry = RunRetry(cloud, newest)
        if retry.refusal_reason(newest.id) is None:
            return data_response(related.started_run(retry.start(job)))
    run = cloud.start(job, {"cause": "Rerun of the job", "cause_category": "rerun"})
    return data_response(related.started_run(run))


def _read_trigger(body: Any) -> dict[str, Any]:
    """Return the cause and the overrides of a new run, without nulls.

    Raises:
        ApiException: 400: the cause is missing, empty or too long, or a field is unknown or has a wrong type.
    """
    if unknown := [name for name in RequestBody.as_object(body) if name not in {*_SCHEMA, *_PATH_PARAMETERS}]:
        raise ApiException.unknown_properties(unknown)
    RequestBody.check(body, _SCHEMA)
    given = {name: body[name] for name in _SCHEMA if body.get(name) is not None}
    RequestBody.check_minimum(given, {"threads_override": 1, "timeout_seconds_override": 0})
    _check_cause(given.get("cause"))
    if empty := {name: "'' is too short" for name, value in given.items() if value == ""}:
        raise ApiException.bad_request(empty)
    if len(given.get("steps_override", ())) > _MAX_STEPS:
        raise ApiException.bad_request({"steps_override": f"{given['steps_override']!r} is too long"})
    return given


def _check_cause(cause: str | None) -> None:
    if cause is None:
        raise ApiException.bad_request({"cause": "'cause' is a required property"})
    if not cause:
        raise ApiException.bad_request({"cause": "'' is too short"})
    if len(cause) > _CAUSE_MAX_LENGTH:
        raise ApiException.bad_request({"cause": f"{cause!r} is too long"})


_JOB = "/api/v2/accounts/{account_id}/jobs/{job_id}/"

ROUTES = (
    Route(
        "POST",
        f"{_JOB}run/",
        _trigger_job,
        ("runs", "write"),
        "Runs of one environment run one after the other; dbt Cloud does so with the runs of one job. Ids of "
        "pull requests are stored and shown, and have no effect.",
    ),
    Route("POST", f"{_JOB}rerun/", _rerun_job, ("runs", "write"), "The cause has other words."),
)

"""Runs: list, get, cancel, retry. Steps: get."""

from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.query import PAGING, QueryParameters, QuerySchema
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.responses.runs import step_json
from dbtcloud.local.api.routes.include_related import RelatedObjects
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import DELETED, STEPS_PER_RUN, JobRecord
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.orchestration.retries import RunRetry
from dbtcloud.local.store.queries import RunQuery

_FILTERS: QuerySchema = {
    **PAGING,
    "created_at__range": "time range",
    "dbt_version": "string",
    "dbt_version__in": "array of string",
    "deferring_run_id": "integer",
    "environment_id": "integer",
    "finished_at__range": "time range",
    "has_docs_generated": "boolean",
    "has_sources_generated": "boolean",
    "id__gt": "integer",
    "job_definition_id": "integer",
    "order_by": ("id", "created_at", "finished_at"),
    "pk": "integer",
    "pk__in": "hundred integers",
    "project_id": "integer",
    "project_id__in": "array of integer",
    "state": "state",
    "status": "integer",
    "status__in": "array of integer",
}


async def _list_runs(call: ApiCall) -> web.Response:
    """Return a page of runs."""
    account, parameters, cloud = call.account(), call.query(_FILTERS), call.cloud
    query = _run_query(account.id, parameters)
    runs, total = cloud.store.runs.find(query, parameters.page(), cloud.clock.now())
    filters = {"state": "all", **parameters.applied_filters(account.id)}
    return list_response(
        RelatedObjects(cloud).runs(runs, parameters.include), total, parameters.page(), filters
    )


async def _get_run(call: ApiCall) -> web.Response:
    """Return one run."""
    include = call.query({}).include
    return data_response(RelatedObjects(call.cloud).run(call.run(), include))


async def _cancel_run(call: ApiCall) -> web.Response:
    """Cancel a run and return it. If real dbt executes it, it may end a moment later."""
    cloud, run = call.cloud, call.run()
    cloud.cancel(run)
    # Read again, since it has changed in the store.
    return data_response(RelatedObjects(cloud).run(call.run()))


async def _get_retry(call: ApiCall) -> web.Response:
    """Return the failed step and the skipped commands."""
    cloud, run = call.cloud, call.run()
    retry = RunRetry(cloud, run)
    failed = retry.failed_step
    return data_response(
        {"failed_step": failed.name if failed else None, "skipped_steps": retry.skipped_commands()}
    )


async def _retry_run(call: ApiCall) -> web.Response:
    """Retry a failed run from its failed step, in a new run."""
    cloud, run = call.cloud, call.run()
    retry = RunRetry(cloud, run)
    reason = retry.refusal_reason(cloud.store.runs.latest_ids([run.job_id]).get(run.job_id))
    if reason is not None:
        raise ApiException.bad_request({"reason": reason})
    job = cloud.store.definitions.get(JobRecord, run.job_id)
    if job is None or job.state == DELETED:
        raise ApiException.not_found()
    return data_response(RelatedObjects(cloud).started_run(retry.start(job)))


async def _get_step(call: ApiCall) -> web.Response:
    """Return one step."""
    account, cloud = call.account(), call.cloud
    include = call.query({}).include
    # A step's id is made of the id of its run and its index.
    run_id, index = divmod(call.path_id("step_id"), STEPS_PER_RUN)
    run = cloud.store.runs.get(run_id)
    if run is None or run.account_id != account.id:
        raise ApiException.not_found()
    for step in cloud.steps(run):
        if step.index == index:
            log, is_full = RunArtifacts(cloud, run).debug_log(step), "debug_logs" in include
            return data_response(step_json(step, cloud.clock.now(), log, is_full=is_full))
    raise ApiException.not_found()


def _run_query(account_id: int, parameters: QueryParameters) -> RunQuery:
    values = parameters.values
    return RunQuery(
        account_id,
        ids=_allowed_values(parameters, "pk"),
        id_above=values.get("id__gt"),
        job_ids=_allowed_values(parameters, "job_definition_id"),
        project_ids=_allowed_values(parameters, "project_id"),
        environment_ids=_allowed_values(parameters, "environment_id"),
        statuses=_allowed_values(parameters, "status"),
        created=values.get("created_at__range"),
        finished=values.get("finished_at__range"),
        dbt_versions=_allowed_values(parameters, "dbt_version"),
        docs=values.get("has_docs_generated"),
        sources=values.get("has_sources_generated"),
        deferring="deferring_run_id" in values,
        deleted=values.get("state") == DELETED,
    )


def _allowed_values(parameters: QueryParameters, name: str) -> list[Any] | None:
    """Return the values that a filter and its `__in` form both allow, or None if neither is given."""
    single, several = parameters.values.get(name), parameters.values.get(f"{name}__in")
    if single is None:
        return several
    return [single] if several is None or single in several else []


_RUN = "/api/v2/accounts/{account_id}/runs/{run_id}/"

ROUTES = (
    Route(
        "GET",
        "/api/v2/accounts/{account_id}/runs/",
        _list_runs,
        ("runs", "read"),
        "`deferring_run_id` finds nothing. `finished_at__range` and `created_at__range` respect UTC offsets.",
    ),
    Route(
        "GET",
        _RUN,
        _get_run,
        ("runs", "read"),
        "`repository` is null, and `audit` always names the same service token.",
    ),
    Route("POST", f"{_RUN}cancel/", _cancel_run, ("runs", "write")),
    Route("GET", f"{_RUN}retry/", _get_retry, ("runs", "read")),
    Route(
        "POST",
        f"{_RUN}retry/",
        _retry_run,
        ("runs", "write"),
        "The cause of the new run has other words.",
    ),
    Route("GET", "/api/v2/accounts/{account_id}/steps/{step_id}/", _get_step, ("runs", "read")),
)

"""Runs: list, get, cancel, retry; and single steps."""

from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.query import (
    PAGING,
    QueryParameters,
    Readers,
    parse_query,
    read_boolean,
    read_hundred_integers,
    read_integer,
    read_integers,
    read_order,
    read_state,
    read_strings,
    read_text,
    read_time_range,
)
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.responses.runs import step_json
from dbtcloud.local.api.routes.include_related import runs_with_related, started_run_json
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, path_id, run_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import DELETED, STEPS_PER_RUN, JobRecord
from dbtcloud.local.orchestration.retries import RunRetry
from dbtcloud.local.store.queries import RunQuery

_FILTERS: Readers = {
    **PAGING,
    "created_at__range": read_time_range,
    "dbt_version": read_text,
    "dbt_version__in": read_strings,
    "deferring_run_id": read_integer,
    "environment_id": read_integer,
    "finished_at__range": read_time_range,
    "has_docs_generated": read_boolean,
    "has_sources_generated": read_boolean,
    "id__gt": read_integer,
    "job_definition_id": read_integer,
    "order_by": read_order("id", "created_at", "finished_at"),
    "pk": read_integer,
    "pk__in": read_hundred_integers,
    "project_id": read_integer,
    "project_id__in": read_integers,
    "state": read_state,
    "status": read_integer,
    "status__in": read_integers,
}


async def _list_runs(request: web.Request) -> web.Response:
    """Answer with a page of runs."""
    account, parameters, cloud = account_of(request), parse_query(request, _FILTERS), cloud_of(request)
    query = _query(account.id, parameters)
    runs, total = cloud.store.runs.find(query, parameters.page(), cloud.clock.now())
    filters = {"state": "all", **parameters.applied_filters(account.id)}
    return list_response(
        runs_with_related(cloud, runs, parameters.include), total, parameters.page(), filters
    )


async def _get_run(request: web.Request) -> web.Response:
    """Answer with one run."""
    include = parse_query(request, {}).include
    return data_response(runs_with_related(cloud_of(request), [run_of(request)], include)[0])


async def _cancel_run(request: web.Request) -> web.Response:
    """Cancel a run and answer with it. If real dbt executes it, it may end a moment later."""
    cloud, run = cloud_of(request), run_of(request)
    cloud.cancel(run)
    return data_response(runs_with_related(cloud, [run_of(request)], frozenset())[0])


async def _get_retry(request: web.Request) -> web.Response:
    """Answer with the failed step and the skipped commands."""
    cloud, run = cloud_of(request), run_of(request)
    retry = RunRetry(cloud, run)
    failed = retry.failed_step
    return data_response(
        {"failed_step": failed.name if failed else None, "skipped_steps": retry.skipped_commands()}
    )


async def _retry_run(request: web.Request) -> web.Response:
    """Retry a failed run from its failed step, in a new run."""
    cloud, run = cloud_of(request), run_of(request)
    retry = RunRetry(cloud, run)
    reason = retry.refusal_reason(cloud.store.runs.latest_ids([run.job_id]).get(run.job_id))
    if reason is not None:
        raise ApiException.bad_request({"reason": reason})
    job = cloud.store.definitions.get(JobRecord, run.job_id)
    if job is None or job.state == DELETED:
        raise ApiException.not_found()
    return data_response(started_run_json(cloud, retry.start(job)))


async def _get_step(request: web.Request) -> web.Response:
    """Answer with one step."""
    account, cloud = account_of(request), cloud_of(request)
    include = parse_query(request, {}).include
    run_id, index = divmod(path_id(request, "step_id"), STEPS_PER_RUN)
    run = cloud.store.runs.get(run_id)
    if run is None or run.account_id != account.id:
        raise ApiException.not_found()
    for step in cloud.steps(run):
        if step.index == index:
            return data_response(step_json(step, cloud.clock.now(), debug_logs="debug_logs" in include))
    raise ApiException.not_found()


def _query(account_id: int, parameters: QueryParameters) -> RunQuery:
    values = parameters.values
    return RunQuery(
        account_id,
        ids=_any(parameters, "pk"),
        id_above=values.get("id__gt"),
        job_ids=_any(parameters, "job_definition_id"),
        project_ids=_any(parameters, "project_id"),
        environment_ids=_any(parameters, "environment_id"),
        statuses=_any(parameters, "status"),
        created=values.get("created_at__range"),
        finished=values.get("finished_at__range"),
        dbt_versions=_any(parameters, "dbt_version"),
        docs=values.get("has_docs_generated"),
        sources=values.get("has_sources_generated"),
        deferring="deferring_run_id" in values,
        deleted=values.get("state") == DELETED,
    )


def _any(parameters: QueryParameters, name: str) -> list[Any] | None:
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

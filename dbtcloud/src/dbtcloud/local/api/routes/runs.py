"""Runs: lists, one run, cancelling, retrying, and single steps."""

from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.query import (
    PAGING,
    Parameters,
    Readers,
    boolean,
    hundred_integers,
    instants,
    integer,
    integers,
    order,
    parse,
    state,
    strings,
    words,
)
from dbtcloud.local.api.responses.envelope import found, listed
from dbtcloud.local.api.responses.runs import step_shape
from dbtcloud.local.api.routes.include_related import shapes, started_shape
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, number, run_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import invalid, missing
from dbtcloud.local.model.records import DELETED, STEPS_PER_RUN, JobRecord
from dbtcloud.local.orchestration.retries import failed_step, refusal, retry, skipped_steps
from dbtcloud.local.store.interface import RunQuery

_FILTERS: Readers = {
    **PAGING,
    "created_at__range": instants,
    "dbt_version": words,
    "dbt_version__in": strings,
    "deferring_run_id": integer,
    "environment_id": integer,
    "finished_at__range": instants,
    "has_docs_generated": boolean,
    "has_sources_generated": boolean,
    "id__gt": integer,
    "job_definition_id": integer,
    "order_by": order("id", "created_at", "finished_at"),
    "pk": integer,
    "pk__in": hundred_integers,
    "project_id": integer,
    "project_id__in": integers,
    "state": state,
    "status": integer,
    "status__in": integers,
}


async def list_runs(request: web.Request) -> web.Response:
    """Answer with a page of runs."""
    account, parameters, cloud = account_of(request), parse(request, _FILTERS), cloud_of(request)
    query = _query(account.id, parameters)
    runs, total = cloud.store.runs.find(query, parameters.page(), cloud.clock.now())
    filters = {"state": "all", **parameters.echo(account.id)}
    return listed(shapes(cloud, runs, parameters.include), total, parameters.page(), filters)


async def get_run(request: web.Request) -> web.Response:
    """Answer with one run."""
    include = parse(request, {}).include
    return found(shapes(cloud_of(request), [run_of(request)], include)[0])


async def cancel_run(request: web.Request) -> web.Response:
    """Cancel a run and answer with it; a going run of real dbt ends a moment later."""
    cloud, run = cloud_of(request), run_of(request)
    cloud.cancel(run)
    return found(shapes(cloud, [run_of(request)], frozenset())[0])


async def get_retry(request: web.Request) -> web.Response:
    """Answer with the step that failed and the commands that were not reached."""
    cloud, run = cloud_of(request), run_of(request)
    failed = failed_step(cloud.steps(run))
    return found({"failed_step": failed.name if failed else None, "skipped_steps": skipped_steps(cloud, run)})


async def retry_run(request: web.Request) -> web.Response:
    """Take a failed run up at its failure, in a new run."""
    cloud, run = cloud_of(request), run_of(request)
    reason = refusal(cloud, run, cloud.store.runs.latest_ids([run.job_id]).get(run.job_id))
    if reason is not None:
        raise invalid({"reason": reason})
    job = cloud.store.definitions.get(JobRecord, run.job_id)
    if job is None or job.state == DELETED:
        raise missing()
    return found(started_shape(cloud, retry(cloud, job, run)))


async def get_step(request: web.Request) -> web.Response:
    """Answer with one step of whichever run it belongs to."""
    account, cloud = account_of(request), cloud_of(request)
    include = parse(request, {}).include
    run_id, index = divmod(number(request, "step_id"), STEPS_PER_RUN)
    run = cloud.store.runs.get(run_id)
    if run is None or run.account_id != account.id:
        raise missing()
    for step in cloud.steps(run):
        if step.index == index:
            return found(step_shape(step, cloud.clock.now(), debug_logs="debug_logs" in include))
    raise missing()


def _query(account_id: int, parameters: Parameters) -> RunQuery:
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


def _any(parameters: Parameters, name: str) -> list[Any] | None:
    single, several = parameters.values.get(name), parameters.values.get(f"{name}__in")
    if single is None:
        return several
    return [single] if several is None or single in several else []


_RUN = "/api/v2/accounts/{account_id}/runs/{run_id}/"

ROUTES = (
    Route(
        "GET",
        "/api/v2/accounts/{account_id}/runs/",
        list_runs,
        ("runs", "read"),
        "`deferring_run_id` finds nothing. `finished_at__range` and `created_at__range` heed UTC offsets.",
    ),
    Route(
        "GET",
        _RUN,
        get_run,
        ("runs", "read"),
        "`repository` is null, `audit` names one service token for everything.",
    ),
    Route("POST", f"{_RUN}cancel/", cancel_run, ("runs", "write")),
    Route("GET", f"{_RUN}retry/", get_retry, ("runs", "read")),
    Route(
        "POST", f"{_RUN}retry/", retry_run, ("runs", "write"), "The new run's cause is worded in another way."
    ),
    Route("GET", "/api/v2/accounts/{account_id}/steps/{step_id}/", get_step, ("runs", "read")),
)

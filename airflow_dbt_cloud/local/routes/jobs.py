"""Jobs, and starting runs of them."""

from aiohttp import web

from airflow_dbt_cloud.local.definition_shapes import job_shape, project_shape
from airflow_dbt_cloud.local.envelope import found, listed
from airflow_dbt_cloud.local.models import Job, Project, Run, Status
from airflow_dbt_cloud.local.parameters import (
    PAGING,
    Readers,
    boolean,
    integer,
    integers,
    order,
    parse,
    state,
    words,
)
from airflow_dbt_cloud.local.retries import refusal, retry
from airflow_dbt_cloud.local.routes.bodies import read_body
from airflow_dbt_cloud.local.routes.including import environment_of, shapes, started_shape
from airflow_dbt_cloud.local.routes.lists import find_definitions
from airflow_dbt_cloud.local.routes.lookup import account_of, cloud_of, definition_of
from airflow_dbt_cloud.local.store import Page, RunQuery
from airflow_dbt_cloud.local.triggering import read_trigger

_FILTERS: Readers = {
    **PAGING,
    **dict.fromkeys(("dbt_version__in", "is_fusion_ready", "triggers_schedule")),
    "environment_id": integer,
    "is_system": boolean,
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__in": integers,
    "project_id": integer,
    "project_id__in": integers,
    "state": state,
}

_RECENT = {
    "most_recent_run": None,
    "most_recent_completed_run": [int(status) for status in Status if status.finished],
}


async def list_jobs(request: web.Request) -> web.Response:
    """Answer with a page of jobs."""
    account, parameters = account_of(request), parse(request, _FILTERS)
    jobs, total = find_definitions(cloud_of(request).store, Job, account, parameters)
    shapes = [_job(request, job, parameters.include) for job in jobs]
    return listed(shapes, total, parameters.page(), parameters.echo(account.id))


async def get_job(request: web.Request) -> web.Response:
    """Answer with one job."""
    include = parse(request, {}).include
    return found(_job(request, definition_of(request, Job, "job_id"), include))


async def trigger_job(request: web.Request) -> web.Response:
    """Start a run of a job and answer with it, its trigger and its job."""
    job, cloud = definition_of(request, Job, "job_id"), cloud_of(request)
    trigger = read_trigger(await read_body(request))
    return found(started_shape(cloud, cloud.start(job, trigger)))


async def rerun_job(request: web.Request) -> web.Response:
    """Take the job's newest run up at its failure if it can be; otherwise start a new run."""
    job, cloud = definition_of(request, Job, "job_id"), cloud_of(request)
    newest = _newest_run(request, job)
    if newest is not None and refusal(cloud, newest, newest.id) is None:
        return found(started_shape(cloud, retry(cloud, job, newest)))
    return found(
        started_shape(cloud, cloud.start(job, {"cause": "Rerun of the job", "cause_category": "rerun"}))
    )


def _newest_run(request: web.Request, job: Job, statuses: list[int] | None = None) -> Run | None:
    cloud, query = cloud_of(request), RunQuery(job.account_id, job_ids=[job.id], statuses=statuses)
    runs, _ = cloud.store.runs.find(query, Page(limit=1, order_by="-id"), cloud.clock.now())
    return runs[0] if runs else None


def _job(request: web.Request, job: Job, include: frozenset[str]) -> dict[str, object]:
    store, shape = cloud_of(request).store, job_shape(job)
    project = store.definitions.get(Project, job.project_id)
    if "project" in include:
        shape["project"] = project_shape(project) if project else None
    if "environment" in include:
        shape["environment"] = environment_of(cloud_of(request), job.environment_id, project)
    for name, statuses in _RECENT.items():
        if name in include:
            newest = _newest_run(request, job, statuses)
            shape[name] = shapes(cloud_of(request), [newest], frozenset())[0] if newest else None
    return shape


_JOB = "/api/v2/accounts/{account_id}/jobs/{job_id}/"

ROUTES = (
    ("GET", "/api/v2/accounts/{account_id}/jobs/", list_jobs),
    ("GET", _JOB, get_job),
    ("POST", f"{_JOB}run/", trigger_job),
    ("POST", f"{_JOB}rerun/", rerun_job),
)

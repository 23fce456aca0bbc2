"""The pages: the newest runs, the jobs, and a page for each run, which its `href` leads to."""

import asyncio

from aiohttp import web

from dbtcloud.local.api.page_access import form_token
from dbtcloud.local.api.responses.runs import RunJson, step_json
from dbtcloud.local.api.routes.route import CONTROL, ApiCall
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import (
    ACTIVE,
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    StepRecord,
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.pages.html import DisplayedJob, DisplayedRun, NodeTime
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery, RunQuery

_NEWEST = PageQuery(limit=50, order_by="-id")
_ALL = PageQuery(limit=-1)
_CAUSE = "Started on the page of the jobs"


async def _show_runs(call: ApiCall) -> web.Response:
    """Show the newest runs of account 1."""
    cloud = call.cloud
    now = cloud.clock.now()
    runs, total = cloud.store.runs.find(RunQuery(account_id=1), _NEWEST, now)
    return _html(DisplayedRun.list_page([_displayed(cloud, run, now) for run in runs], total))


async def _show_run(call: ApiCall) -> web.Response:
    """Show a run with its steps, logs and nodes. The page refreshes itself until the run finishes."""
    cloud, run = call.cloud, call.run()
    now = cloud.clock.now()
    steps = cloud.steps(run)
    nodes = await _nodes(cloud, run, steps)
    step_contents = [step_json(step, now, step.logs, is_full=False) for step in steps]
    return _html(_displayed(cloud, run, now).page(step_contents, nodes))


async def _show_jobs(call: ApiCall) -> web.Response:
    """Show the jobs of an account, each with a button that runs it."""
    account, cloud = call.account(), call.cloud
    query = DefinitionQuery(account.id, [("state", [ACTIVE])])
    jobs, _ = cloud.store.definitions.find(JobRecord, query, _ALL)
    newest = cloud.store.runs.latest_ids(job.id for job in jobs)
    shown = [_displayed_job(cloud, job, newest.get(job.id)) for job in jobs]
    token = form_token(call.request.app[CONTROL].page_sessions, call.request)
    return _html(DisplayedJob.list_page(shown, token))


async def _run_job(call: ApiCall) -> web.Response:
    """Start a run of a job, and lead to its page. `PageAccess` has checked the token of the form."""
    job = call.definition(JobRecord, "job_id")
    if job.project_id != call.path_id("project_id"):
        raise ApiException.not_found()
    run = call.cloud.start(job, {"cause": _CAUSE})
    path = f"/deploy/{run.account_id}/projects/{run.project_id}/runs/{run.id}/"
    return web.Response(status=303, headers={"Location": path})


def _displayed_job(cloud: Cloud, job: JobRecord, newest_id: int | None) -> DisplayedJob:
    newest = None if newest_id is None else cloud.store.runs.get(newest_id)
    now = cloud.clock.now()
    project, environment = _names(cloud, job)
    content = None if newest is None else RunJson(newest, now, cloud.base_url).content()
    return DisplayedJob(job, project, environment, content)


def _names(cloud: Cloud, owned: JobRecord | RunRecord) -> tuple[str, str]:
    """Return the names of the project and the environment."""
    get = cloud.store.definitions.get
    project, environment = get(ProjectRecord, owned.project_id), get(EnvironmentRecord, owned.environment_id)
    return (
        project.name if project else f"Project {owned.project_id}",
        environment.name if environment else f"Environment {owned.environment_id}",
    )


def _displayed(cloud: Cloud, run: RunRecord, now: int) -> DisplayedRun:
    job = cloud.store.definitions.get(JobRecord, run.job_id)
    project, environment = _names(cloud, run)
    return DisplayedRun(
        RunJson(run, now, cloud.base_url).content(blocked_by=cloud.queue.blocked_by(run)),
        job=job.name if job else f"Job {run.job_id}",
        project=project,
        environment=environment,
        cause=str(run.trigger.get("cause", "")),
    )


async def _nodes(cloud: Cloud, run: RunRecord, steps: list[StepRecord]) -> list[NodeTime]:
    if run.script is not None:
        return NodeTime.of_run(cloud, run, steps)
    # A real run's artifacts are files. A simulated run's are in the store, which belongs to this thread.
    return await asyncio.to_thread(NodeTime.of_run, cloud, run, steps)


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")


ROUTES = (
    ("GET", "/", _show_runs),
    ("GET", "/deploy/{account_id}/jobs/", _show_jobs),
    ("POST", "/deploy/{account_id}/projects/{project_id}/jobs/{job_id}/run/", _run_job),
    ("GET", "/deploy/{account_id}/projects/{project_id}/runs/{run_id}/", _show_run),
)

"""The pages: the newest runs, and a page for each run, which its `href` leads to."""

import asyncio

from aiohttp import web

from dbtcloud.local.api.responses.runs import RunJson, step_json
from dbtcloud.local.api.routes.route import ApiCall
from dbtcloud.local.model.records import EnvironmentRecord, JobRecord, ProjectRecord, RunRecord, StepRecord
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.pages.html import DisplayedRun, NodeTime
from dbtcloud.local.store.queries import PageQuery, RunQuery

_NEWEST = PageQuery(limit=50, order_by="-id")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


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
    step_contents = [step_json(step, now, debug_logs=False) for step in steps]
    return _html(_displayed(cloud, run, now).page(step_contents, nodes))


def _displayed(cloud: Cloud, run: RunRecord, now: int) -> DisplayedRun:
    get = cloud.store.definitions.get
    job, project = get(JobRecord, run.job_id), get(ProjectRecord, run.project_id)
    environment = get(EnvironmentRecord, run.environment_id)
    return DisplayedRun(
        RunJson(run, now, cloud.base_url).content(blocked_by=cloud.queue.blocked_by(run)),
        job=job.name if job else f"Job {run.job_id}",
        project=project.name if project else f"Project {run.project_id}",
        environment=environment.name if environment else f"Environment {run.environment_id}",
        cause=str(run.trigger.get("cause", "")),
    )


async def _nodes(cloud: Cloud, run: RunRecord, steps: list[StepRecord]) -> list[NodeTime]:
    if run.script is not None:
        return NodeTime.of_run(cloud, run, steps)
    # A real run's artifacts are files. A simulated run's are in the store, which belongs to this thread.
    return await asyncio.to_thread(NodeTime.of_run, cloud, run, steps)


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


ROUTES = (
    ("GET", "/", _show_runs),
    ("GET", "/deploy/{account_id}/projects/{project_id}/runs/{run_id}/", _show_run),
)

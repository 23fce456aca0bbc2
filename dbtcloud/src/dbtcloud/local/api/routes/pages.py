"""The pages: the newest runs, and a page for each run, which its `href` leads to."""

import asyncio

from aiohttp import web

from dbtcloud.local.api.responses.runs import RunJson, step_json
from dbtcloud.local.api.routes.route import ApiCall
from dbtcloud.local.model.records import EnvironmentRecord, JobRecord, ProjectRecord, RunRecord, StepRecord
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.pages.html import RunNames, run_page, runs_page
from dbtcloud.local.pages.node_times import NodeTime, node_times
from dbtcloud.local.store.queries import PageQuery, RunQuery

_NEWEST = PageQuery(limit=50, order_by="-id")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def _show_runs(call: ApiCall) -> web.Response:
    """Show the newest runs of account 1."""
    cloud = call.cloud
    now = cloud.clock.now()
    runs, total = cloud.store.runs.find(RunQuery(account_id=1), _NEWEST, now)
    rows = [(_names(cloud, run), RunJson(run, now, cloud.base_url).content(), _cause(run)) for run in runs]
    return _html(runs_page(rows, total))


async def _show_run(call: ApiCall) -> web.Response:
    """Show a run with its steps, logs and nodes. The page refreshes itself until the run finishes."""
    cloud, run = call.cloud, call.run()
    now = cloud.clock.now()
    steps = cloud.steps(run)
    nodes = await _nodes(cloud, run, steps)
    run_content = RunJson(run, now, cloud.base_url).content(blocked_by=cloud.queue.blocked_by(run))
    step_contents = [step_json(step, now, debug_logs=False) for step in steps]
    return _html(run_page(run_content, _names(cloud, run), _cause(run), step_contents, nodes))


def _names(cloud: Cloud, run: RunRecord) -> RunNames:
    get = cloud.store.definitions.get
    job, project = get(JobRecord, run.job_id), get(ProjectRecord, run.project_id)
    environment = get(EnvironmentRecord, run.environment_id)
    return RunNames(
        job.name if job else f"Job {run.job_id}",
        project.name if project else f"Project {run.project_id}",
        environment.name if environment else f"Environment {run.environment_id}",
    )


async def _nodes(cloud: Cloud, run: RunRecord, steps: list[StepRecord]) -> list[NodeTime]:
    if run.script is not None:
        return node_times(cloud, run, steps)
    # A real run's artifacts are files. A simulated run's are in the store, which belongs to this thread.
    return await asyncio.to_thread(node_times, cloud, run, steps)


def _cause(run: RunRecord) -> str:
    return str(run.trigger.get("cause", ""))


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


ROUTES = (
    ("GET", "/", _show_runs),
    ("GET", "/deploy/{account_id}/projects/{project_id}/runs/{run_id}/", _show_run),
)

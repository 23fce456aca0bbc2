"""The pages for people: the newest runs, and the run that a run's `href` leads to."""

from aiohttp import web

from airflow_dbt_cloud.local.models import Job
from airflow_dbt_cloud.local.pages import run_page, runs_page
from airflow_dbt_cloud.local.routes.lookup import cloud_of, run_of
from airflow_dbt_cloud.local.run_shapes import run_shape, step_shape
from airflow_dbt_cloud.local.store import Page, RunQuery

_NEWEST = Page(limit=50, order_by="-id")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def show_runs(request: web.Request) -> web.Response:
    """Show the newest runs of account 1, each leading to its own page."""
    cloud = cloud_of(request)
    now = cloud.clock.now()
    runs, total = cloud.store.runs.find(RunQuery(account_id=1), _NEWEST, now)
    rows = [(_job_name(request, run.job_id), run_shape(run, now, cloud.base_url)) for run in runs]
    return _html(runs_page(rows, total))


async def show_run(request: web.Request) -> web.Response:
    """Show a run with its steps and their logs; the page renews itself while the run goes on."""
    cloud, run = cloud_of(request), run_of(request)
    now = cloud.clock.now()
    steps = [step_shape(step, now, debug_logs=False) for step in cloud.steps(run)]
    cause = str(run.trigger.get("cause", ""))
    shape = run_shape(run, now, cloud.base_url, blocked_by=cloud.queue.ahead_of(run))
    return _html(run_page(shape, _job_name(request, run.job_id), cause, steps))


def _job_name(request: web.Request, job_id: int) -> str:
    job = cloud_of(request).store.definitions.get(Job, job_id)
    return job.name if job else f"Job {job_id}"


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


ROUTES = (
    ("GET", "/", show_runs),
    ("GET", "/deploy/{account_id}/projects/{project_id}/runs/{run_id}/", show_run),
)

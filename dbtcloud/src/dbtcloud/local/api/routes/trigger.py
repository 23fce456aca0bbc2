"""The endpoints that start runs of a job: `run/` and `rerun/`."""

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.trigger import TRIGGER_SCHEMA, read_trigger
from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.include_related import newest_run, started_run_json
from dbtcloud.local.api.routes.path_objects import cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.records import JobRecord
from dbtcloud.local.orchestration.retries import RunRetry


async def _trigger_job(request: web.Request) -> web.Response:
    """Start a run of a job and answer with it, its trigger and its job."""
    job, cloud = definition_of(request, JobRecord, "job_id"), cloud_of(request)
    trigger = read_trigger(await read_body(request, TRIGGER_SCHEMA))
    return data_response(started_run_json(cloud, cloud.start(job, trigger)))


async def _rerun_job(request: web.Request) -> web.Response:
    """Retry the job's newest run from its failed step if that is possible, or start a new run."""
    job, cloud = definition_of(request, JobRecord, "job_id"), cloud_of(request)
    newest = newest_run(cloud, job)
    if newest is not None:
        retry = RunRetry(cloud, newest)
        if retry.refusal_reason(newest.id) is None:
            return data_response(started_run_json(cloud, retry.start(job)))
    return data_response(
        started_run_json(cloud, cloud.start(job, {"cause": "Rerun of the job", "cause_category": "rerun"}))
    )


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

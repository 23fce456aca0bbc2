"""Artifacts of runs and jobs: raw files, without an envelope."""

from pathlib import Path

from aiohttp import web

from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import JobRecord, Status
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.store.queries import PageQuery, RunQuery


async def _list_artifacts(call: ApiCall) -> web.Response:
    """Return the paths of a run's artifacts. `step` has no effect, as in dbt Cloud."""
    call.query({"step": "integer"})
    return data_response(RunArtifacts(call.cloud, call.run()).paths())


async def _get_artifact(call: ApiCall) -> web.StreamResponse:
    """Return one artifact, of one step if `step` is given."""
    step = call.query({"step": "integer"}).values.get("step")
    path = call.request.match_info["remainder"]
    return _raw(RunArtifacts(call.cloud, call.run()).content(path, step), path)


async def _get_job_artifact(call: ApiCall) -> web.StreamResponse:
    """Return the artifact from the newest finished run of the job that has it."""
    call.query({})
    job, cloud, path = (
        call.definition(JobRecord, "job_id"),
        call.cloud,
        call.request.match_info["remainder"],
    )
    ended = [int(status) for status in Status if status.finished]
    query = RunQuery(job.account_id, job_ids=[job.id], statuses=ended)
    for run in cloud.store.runs.find(query, PageQuery(order_by="-id"), cloud.clock.now())[0]:
        artifacts = RunArtifacts(cloud, run)
        if artifacts.has(path):
            return _raw(artifacts.content(path), path)
    raise ApiException.not_found()


def _raw(content: Path | bytes, path: str) -> web.StreamResponse:
    if isinstance(content, Path):
        return web.FileResponse(content)
    kind = "application/json" if path.endswith(".json") else "application/octet-stream"
    return web.Response(body=content, content_type=kind)


_RUN = "/api/v2/accounts/{account_id}/runs/{run_id}/artifacts/"

ROUTES = (
    Route("GET", _RUN, _list_artifacts, ("runs", "read")),
    Route("GET", f"{_RUN}{{remainder:.+}}", _get_artifact, ("runs", "read")),
    Route(
        "GET",
        "/api/v2/accounts/{account_id}/jobs/{job_id}/artifacts/{remainder:.+}",
        _get_job_artifact,
        ("runs", "read"),
        "From the newest of the last hundred finished runs that has it.",
    ),
)

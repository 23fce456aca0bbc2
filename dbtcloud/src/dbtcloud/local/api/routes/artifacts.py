"""Artifacts of runs and jobs: raw files, without an envelope."""

from pathlib import Path

from aiohttp import web

from dbtcloud.local.api.requests.query import parse_query, read_integer
from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.path_objects import cloud_of, definition_of, run_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import JobRecord, Status
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.store.queries import PageQuery, RunQuery


async def _list_artifacts(request: web.Request) -> web.Response:
    """Answer with the paths of a run's artifacts. `step` has no effect, as in dbt Cloud."""
    parse_query(request, {"step": read_integer})
    return data_response(RunArtifacts(cloud_of(request), run_of(request)).paths())


async def _get_artifact(request: web.Request) -> web.StreamResponse:
    """Answer with one artifact, of one step if `step` is given."""
    step = parse_query(request, {"step": read_integer}).values.get("step")
    path = request.match_info["remainder"]
    return _raw(RunArtifacts(cloud_of(request), run_of(request)).content(path, step), path)


async def _get_job_artifact(request: web.Request) -> web.StreamResponse:
    """Answer with the artifact from the newest finished run of the job that has it."""
    parse_query(request, {})
    job, cloud, path = (
        definition_of(request, JobRecord, "job_id"),
        cloud_of(request),
        request.match_info["remainder"],
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

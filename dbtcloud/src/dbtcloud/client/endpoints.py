"""The endpoints of dbt Cloud's Admin API, one call each.

Paths and parameters are those of the published specifications of v2 ("Administrative API") and v3.

Every call raises `DbtCloudError` if it fails (see `errors`) and `InvalidArgument` if an id is not a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Account, Environment, Job, Json, Project, Run
from dbtcloud.client.paging import list_rows, rows_of
from dbtcloud.client.protocol import (
    ANY_FILE,
    Call,
    Id,
    Request,
    Response,
    Sink,
    ask,
    ask_for,
    ask_for_data,
    file_path,
    identifier,
)


def list_accounts() -> Call[list[Account]]:
    """List the accounts that the token can read (v3, without pages)."""
    request = Request("GET", "/api/v3/accounts/")
    return (yield from ask_for_data(request, lambda data: [Account.parse(row) for row in rows_of(data)]))


def get_account(account_id: Id) -> Call[Account]:
    """Get an account (v2)."""
    return (yield from ask_for_data(Request.get(account_id), Account.parse))


def list_projects(account_id: Id, *, name_contains: str | None = None) -> Call[list[Project]]:
    """List all projects of an account (v3).

    Args:
        account_id: The account.
        name_contains: A part of the name, upper or lower case.
    """
    request = Request.get(account_id, "projects", version="v3", query={"name__icontains": name_contains})
    return (yield from list_rows(request, Project.parse))


def get_project(account_id: Id, project_id: Id) -> Call[Project]:
    """Get a project (v3)."""
    request = Request.get(account_id, "projects", identifier(project_id, "project id"), version="v3")
    return (yield from ask_for_data(request, Project.parse))


def list_environments(
    account_id: Id, project_id: Id, *, name_contains: str | None = None
) -> Call[list[Environment]]:
    """List all environments of a project (v3).

    Args:
        account_id: The account.
        project_id: The project.
        name_contains: A part of the name, upper or lower case.
    """
    path = ("projects", identifier(project_id, "project id"), "environments")
    request = Request.get(account_id, *path, version="v3", query={"name__icontains": name_contains})
    return (yield from list_rows(request, Environment.parse))


def get_environment(account_id: Id, project_id: Id, environment_id: Id) -> Call[Environment]:
    """Get an environment of a project (v3)."""
    path = ("projects", identifier(project_id, "project id"), "environments")
    request = Request.get(account_id, *path, identifier(environment_id, "environment id"), version="v3")
    return (yield from ask_for_data(request, Environment.parse))


def list_jobs(
    account_id: Id,
    *,
    project_id: Id | None = None,
    environment_id: Id | None = None,
    name_contains: str | None = None,
    order_by: str | None = None,
) -> Call[list[Job]]:
    """List all jobs of an account (v2), filtered by what is given.

    Args:
        account_id: The account.
        project_id: The project.
        environment_id: The environment.
        name_contains: A part of the name, upper or lower case.
        order_by: A field, with `-` before it for descending order.
    """
    query = {
        "project_id": project_id,
        "environment_id": environment_id,
        "name__icontains": name_contains,
        "order_by": order_by,
    }
    request = Request.get(account_id, "jobs", query=query)
    return (yield from list_rows(request, Job.parse))


def get_job(account_id: Id, job_id: Id) -> Call[Job]:
    """Get a job (v2)."""
    request = Request.get(account_id, "jobs", identifier(job_id, "job id"))
    return (yield from ask_for_data(request, Job.parse))


def trigger_run(account_id: Id, job_id: Id, payload: Json) -> Call[Run]:
    """Start a run of a job (v2 "Trigger Job Run").

    Args:
        account_id: The account.
        job_id: The job.
        payload: The body of the request; dbt Cloud requires a `cause`.
    """
    request = Request.post(account_id, "jobs", identifier(job_id, "job id"), "run", body=payload)
    return (yield from ask_for_data(request, Run.parse))


def rerun_job(account_id: Id, job_id: Id) -> Call[Run]:
    """Retry the job's last run from its point of failure (v2).

    If the last run did not fail, dbt Cloud starts a new run.
    """
    request = Request.post(account_id, "jobs", identifier(job_id, "job id"), "rerun")
    return (yield from ask_for_data(request, Run.parse))


def list_runs(account_id: Id, **filters: object) -> Call[list[Run]]:
    """List all runs of an account (v2), with the parameters of "List Runs" as `filters`."""
    request = Request.get(account_id, "runs", query=filters)
    return (yield from list_rows(request, Run.parse))


def list_runs_page(account_id: Id, **filters: object) -> Call[list[Run]]:
    """List one page of runs (v2), chosen by `limit` and `offset` among the `filters`."""
    request = Request.get(account_id, "runs", query=filters)
    return (yield from ask_for_data(request, lambda data: [Run.parse(row) for row in rows_of(data)]))


def get_run(account_id: Id, run_id: Id, *, include_related: Iterable[str] = ()) -> Call[Run]:
    """Get a run (v2).

    Args:
        account_id: The account.
        run_id: The run.
        include_related: What is sent with the run, such as "run_steps", "trigger", "job" and "debug_logs".
    """
    query = {"include_related": list(include_related) or None}
    request = Request.get(account_id, "runs", identifier(run_id, "run id"), query=query)
    return (yield from ask_for_data(request, Run.parse))


def download_run(account_id: Id, run_id: Id, sink: Sink, *, debug: bool = False) -> Call[Response]:
    """Get a run with its steps and their logs (v2), and pass the JSON to `sink` as it arrives.

    Args:
        account_id: The account.
        run_id: The run.
        sink: Receives the bytes.
        debug: Whether the steps hold their full debug logs ("Retrieve Run": `include_related`).
    """
    related = ["run_steps", "debug_logs"] if debug else ["run_steps"]
    path = ("runs", identifier(run_id, "run id"))
    request = Request.get(account_id, *path, query={"include_related": related})
    return (yield from ask(replace(request, sink=sink)))


def cancel_run(account_id: Id, run_id: Id) -> Call[Run]:
    """Cancel a run (v2). Cancelling it twice does no harm."""
    request = Request.post(account_id, "runs", identifier(run_id, "run id"), "cancel", repeatable=True)
    return (yield from ask_for_data(request, Run.parse))


def retry_run(account_id: Id, run_id: Id) -> Call[Run]:
    """Start a run that continues this one from its point of failure (v2 "Retry Failed Run")."""
    request = Request.post(account_id, "runs", identifier(run_id, "run id"), "retry")
    return (yield from ask_for_data(request, Run.parse))


def list_artifacts(account_id: Id, run_id: Id, *, step: int | None = None) -> Call[list[str]]:
    """List the paths of a run's artifacts (v2). dbt Cloud ignores `step` here."""
    path = ("runs", identifier(run_id, "run id"), "artifacts")
    return (yield from ask_for_data(Request.get(account_id, *path, query={"step": step}), artifact_paths))


def artifact_paths(data: Any) -> list[str]:
    """Return the paths in `data` of a run's list of artifacts.

    Raises:
        MalformedResponse: If it is not a list of texts.
    """
    paths = rows_of([] if data is None else data)  # dbt Cloud sends null for a run without artifacts
    for path in paths:
        if not isinstance(path, str):
            raise MalformedResponse.unexpected("dbt Cloud sent an artifact whose path is not a text", path)
    return paths


def get_artifact(account_id: Id, run_id: Id, path: str, *, step: int | None = None) -> Call[Response]:
    """Get an artifact's file (v2).

    Args:
        account_id: The account.
        run_id: The run.
        path: The artifact's path, such as "manifest.json".
        step: The step that wrote it; the last one if None.
    """
    return (yield from ask(_artifact_request(account_id, run_id, path, step)))


def download_artifact(
    account_id: Id, run_id: Id, path: str, sink: Sink, *, step: int | None = None
) -> Call[Response]:
    """Get an artifact's file as `get_artifact` does, and pass its bytes to `sink` as they arrive."""
    return (yield from ask(replace(_artifact_request(account_id, run_id, path, step), sink=sink)))


def _artifact_request(account_id: Id, run_id: Id, path: str, step: int | None) -> Request:
    folder = Request.get(account_id, "runs", identifier(run_id, "run id"), "artifacts", query={"step": step})
    return replace(folder, path=folder.path + file_path(path), accept=ANY_FILE)


def get_json_artifact(account_id: Id, run_id: Id, path: str, *, step: int | None = None) -> Call[Any]:
    """Get an artifact as `get_artifact` does, and parse it as JSON.

    Raises:
        MalformedResponse: If it is not JSON.
    """
    request = _artifact_request(account_id, run_id, path, step)

    def parse(response: Response) -> Any:
        try:
            return response.json
        except ValueError as error:
            raise MalformedResponse(
                f"The artifact {path!r} of run {run_id} is not JSON", why=str(error)
            ) from error

    return (yield from ask_for(request, parse))


def get_data(request: Request) -> Call[Any]:
    """Send a request and return the `data` of its response."""
    return (yield from ask_for_data(request, lambda data: data))


def send(
    account_id: Id,
    method: str,
    path: str,
    *,
    params: Json | None = None,
    body: Json | None = None,
    version: str = "v2",
) -> Call[Any]:
    """Send any request, and return the JSON of its answer, or None for an empty one.

    Args:
        account_id: The account.
        method: The HTTP method.
        path: The path after the account, or a whole path that begins with "/api/".
        params: The query.
        body: The body.
        version: "v2" or "v3", for a path after the account.

    Raises:
        InvalidArgument: If the method or the path cannot be sent.
    """
    response = yield from ask(
        Request.any(account_id, method, path, params=params or {}, body=body, version=version)
    )
    return response.json if response.body.strip() else None

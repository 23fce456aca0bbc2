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
from dbtcloud.client.protocol import Call, Id, Request, Response, Sink, ask, file_path, identifier


def list_accounts() -> Call[list[Account]]:
    """List the accounts that the token can read (v3, without pages)."""
    return [Account.parse(row) for row in rows_of((yield from get_data(Request("GET", "/api/v3/accounts/"))))]


def get_account(account_id: Id) -> Call[Account]:
    """Get an account (v2)."""
    return Account.parse((yield from get_data(Request.get(account_id))))


def list_projects(account_id: Id, *, name_contains: str | None = None) -> Call[list[Project]]:
    """List all projects of an account (v3).

    Args:
        account_id: The account.
        name_contains: A part of the name, upper or lower case.
    """
    request = Request.get(account_id, "projects", version="v3", query={"name__icontains": name_contains})
    return [Project.parse(row) for row in (yield from list_rows(request))]


def get_project(account_id: Id, project_id: Id) -> Call[Project]:
    """Get a project (v3)."""
    request = Request.get(account_id, "projects", identifier(project_id, "project id"), version="v3")
    return Project.parse((yield from get_data(request)))


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
    return [Environment.parse(row) for row in (yield from list_rows(request))]


def get_environment(account_id: Id, project_id: Id, environment_id: Id) -> Call[Environment]:
    """Get an environment of a project (v3)."""
    path = ("projects", identifier(project_id, "project id"), "environments")
    request = Request.get(account_id, *path, identifier(environment_id, "environment id"), version="v3")
    return Environment.parse((yield from get_data(request)))


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
    return [Job.parse(row) for row in (yield from list_rows(request))]


def get_job(account_id: Id, job_id: Id) -> Call[Job]:
    """Get a job (v2)."""
    return Job.parse((yield from get_data(Request.get(account_id, "jobs", identifier(job_id, "job id")))))


def trigger_run(account_id: Id, job_id: Id, payload: Json) -> Call[Run]:
    """Start a run of a job (v2 "Trigger Job Run").

    Args:
        account_id: The account.
        job_id: The job.
        payload: The body of the request; dbt Cloud requires a `cause`.
    """
    request = Request.post(account_id, "jobs", identifier(job_id, "job id"), "run", body=payload)
    return Run.parse((yield from get_data(request)))


def rerun_job(account_id: Id, job_id: Id) -> Call[Run]:
    """Retry the job's last run from its point of failure (v2).

    If the last run did not fail, dbt Cloud starts a new run.
    """
    request = Request.post(account_id, "jobs", identifier(job_id, "job id"), "rerun")
    return Run.parse((yield from get_data(request)))


def list_runs(account_id: Id, **filters: object) -> Call[list[Run]]:
    """List all runs of an account (v2), with the parameters of "List Runs" as `filters`."""
    request = Request.get(account_id, "runs", query=filters)
    return [Run.parse(row) for row in (yield from list_rows(request))]


def list_runs_page(account_id: Id, **filters: object) -> Call[list[Run]]:
    """List one page of runs (v2), chosen by `limit` and `offset` among the `filters`."""
    data = yield from get_data(Request.get(account_id, "runs", query=filters))
    return [Run.parse(row) for row in rows_of(data)]


def get_run(account_id: Id, run_id: Id, *, include_related: Iterable[str] = ()) -> Call[Run]:
    """Get a run (v2).

    Args:
        account_id: The account.
        run_id: The run.
        include_related: What is sent with the run, such as "run_steps", "trigger", "job" and "debug_logs".
    """
    query = {"include_related": list(include_related) or None}
    request = Request.get(account_id, "runs", identifier(run_id, "run id"), query=query)
    return Run.parse((yield from get_data(request)))


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
    return Run.parse((yield from get_data(request)))


def retry_run(account_id: Id, run_id: Id) -> Call[Run]:
    """Start a run that continues this one from its point of failure (v2 "Retry Failed Run")."""
    request = Request.post(account_id, "runs", identifier(run_id, "run id"), "retry")
    return Run.parse((yield from get_data(request)))


def list_artifacts(account_id: Id, run_id: Id, *, step: int | None = None) -> Call[list[str]]:
    """List the paths of a run's artifacts (v2). dbt Cloud ignores `step` here."""
    path = ("runs", identifier(run_id, "run id"), "artifacts")
    return rows_of((yield from get_data(Request.get(account_id, *path, query={"step": step}))))


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
    return replace(folder, path=folder.path + file_path(path), accept="*/*")


def get_json_artifact(account_id: Id, run_id: Id, path: str, *, step: int | None = None) -> Call[Any]:
    """Get an artifact as `get_artifact` does, and parse it as JSON.

    Raises:
        MalformedResponse: If it is not JSON.
    """
    response = yield from get_artifact(account_id, run_id, path, step=step)
    try:
        return response.json
    except ValueError as error:
        raise MalformedResponse(
            f"The artifact {path!r} of run {run_id} is not JSON", why=str(error)
        ) from error


def get_data(request: Request) -> Call[Any]:
    """Send a request and return the `data` of its response."""
    return (yield from ask(request)).envelope(request)["data"]

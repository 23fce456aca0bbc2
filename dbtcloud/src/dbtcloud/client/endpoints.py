"""dbt Cloud's Admin API: one short call per endpoint, written once for both engines.

Paths and parameters are those of the published specification (v2 "Administrative API", v3); query values go
out in the form that the API takes: lists as one JSON array, `include_related` once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Account, Environment, Job, Json, Project, Run, outline, required
from dbtcloud.client.protocol import Call, Request, Response, Sink, ask, envelope, file_path, identifier

PAGE_SIZE = 100
"""Rows of a page; the API refuses more."""

Id = int | str


def list_accounts() -> Call[list[Account]]:
    """Accounts that the token may see (v3, which knows no pages here)."""
    return [Account.parse(row) for row in listed((yield from one(Request("GET", "/api/v3/accounts/"))))]


def get_account(account_id: Id) -> Call[Account]:
    """One account (v2)."""
    return Account.parse((yield from one(read(account_id))))


def list_projects(account_id: Id, *, name_contains: str | None = None) -> Call[list[Project]]:
    """Projects of an account (v3), all pages; `name_contains` ignores upper and lower case."""
    request = read(account_id, "projects", version="v3", query={"name__icontains": name_contains})
    return [Project.parse(row) for row in (yield from rows(request))]


def get_project(account_id: Id, project_id: Id) -> Call[Project]:
    """One project (v3)."""
    request = read(account_id, "projects", identifier(project_id, "project id"), version="v3")
    return Project.parse((yield from one(request)))


def list_environments(
    account_id: Id, project_id: Id, *, name_contains: str | None = None
) -> Call[list[Environment]]:
    """Environments of a project (v3), all pages."""
    place = ("projects", identifier(project_id, "project id"), "environments")
    request = read(account_id, *place, version="v3", query={"name__icontains": name_contains})
    return [Environment.parse(row) for row in (yield from rows(request))]


def get_environment(account_id: Id, project_id: Id, environment_id: Id) -> Call[Environment]:
    """One environment of a project (v3)."""
    place = ("projects", identifier(project_id, "project id"), "environments")
    request = read(account_id, *place, identifier(environment_id, "environment id"), version="v3")
    return Environment.parse((yield from one(request)))


def list_jobs(account_id: Id, **narrowed: Id | None) -> Call[list[Job]]:
    """Jobs of an account (v2), all pages, narrowed as `jobs_of` says."""
    return [Job.parse(row) for row in (yield from rows(jobs_of(account_id, **narrowed)))]


def jobs_of(
    account_id: Id,
    *,
    project_id: Id | None = None,
    environment_id: Id | None = None,
    name_contains: Id | None = None,
    order_by: Id | None = None,
) -> Request:
    """The request for an account's jobs (v2), narrowed by what is given."""
    query = {
        "project_id": project_id,
        "environment_id": environment_id,
        "name__icontains": name_contains,
        "order_by": order_by,
    }
    return read(account_id, "jobs", query=query)


def get_job(account_id: Id, job_id: Id) -> Call[Job]:
    """One job (v2)."""
    return Job.parse((yield from one(read(account_id, "jobs", identifier(job_id, "job id")))))


def trigger_run(account_id: Id, job_id: Id, payload: Json) -> Call[Run]:
    """Start a run of a job (v2 "Trigger Job Run"); `payload` must hold a `cause`."""
    request = act(account_id, "jobs", identifier(job_id, "job id"), "run", body=payload)
    return Run.parse((yield from one(request)))


def rerun_job(account_id: Id, job_id: Id) -> Call[Run]:
    """Retry the job's last run from its failure; without one dbt Cloud starts a new run (v2)."""
    request = act(account_id, "jobs", identifier(job_id, "job id"), "rerun")
    return Run.parse((yield from one(request)))


def list_runs(account_id: Id, **filters: object) -> Call[list[Run]]:
    """Runs of an account (v2), all pages; `filters` are the documented parameters of "List Runs"."""
    return [Run.parse(row) for row in (yield from rows(read(account_id, "runs", query=filters)))]


def list_runs_page(account_id: Id, **filters: object) -> Call[list[Run]]:
    """One page of runs (v2), as `limit` and `offset` among `filters` say."""
    data = yield from one(read(account_id, "runs", query=filters))
    return [Run.parse(row) for row in listed(data)]


def get_run(account_id: Id, run_id: Id, *, include_related: Iterable[str] = ()) -> Call[Run]:
    """One run (v2); `include_related` such as ["run_steps", "trigger", "job", "debug_logs"]."""
    place = ("runs", identifier(run_id, "run id"))
    return Run.parse(
        (yield from one(read(account_id, *place, query={"include_related": list(include_related) or None})))
    )


def cancel_run(account_id: Id, run_id: Id) -> Call[Run]:
    """Cancel a run (v2); cancelling twice is harmless."""
    request = act(account_id, "runs", identifier(run_id, "run id"), "cancel", repeatable=True)
    return Run.parse((yield from one(request)))


def retry_run(account_id: Id, run_id: Id) -> Call[Run]:
    """Start a run that goes on where this one failed (v2 "Retry Failed Run")."""
    return Run.parse((yield from one(act(account_id, "runs", identifier(run_id, "run id"), "retry"))))


def list_artifacts(account_id: Id, run_id: Id, *, step: int | None = None) -> Call[list[str]]:
    """Paths of a run's artifacts (v2); dbt Cloud ignores `step` here and sends null where there are none."""
    place = ("runs", identifier(run_id, "run id"), "artifacts")
    return listed((yield from one(read(account_id, *place, query={"step": step}))))


def get_artifact(account_id: Id, run_id: Id, path: str, *, step: int | None = None) -> Call[Response]:
    """An artifact as it is stored (v2, no envelope); of the last step unless `step` says another."""
    return (yield from ask(_artifact(account_id, run_id, path, step)))


def download_artifact(
    account_id: Id, run_id: Id, path: str, sink: Sink, *, step: int | None = None
) -> Call[Response]:
    """An artifact as `get_artifact` reads it, with its bytes handed to `sink` as they arrive."""
    return (yield from ask(replace(_artifact(account_id, run_id, path, step), sink=sink)))


def _artifact(account_id: Id, run_id: Id, path: str, step: int | None) -> Request:
    folder = _path(account_id, "runs", identifier(run_id, "run id"), "artifacts")
    return Request("GET", folder + file_path(path), wire_query({"step": step}), accept="*/*")


def get_json_artifact(account_id: Id, run_id: Id, path: str, *, step: int | None = None) -> Call[Any]:
    """An artifact, read as JSON (v2).

    Raises:
        MalformedResponse: If it is none.
    """
    response = yield from get_artifact(account_id, run_id, path, step=step)
    try:
        return response.json
    except ValueError as error:
        raise MalformedResponse(
            f"The artifact {path!r} of run {run_id} is not JSON", why=str(error)
        ) from error


def read(
    account_id: Id, *parts: str, version: str = "v2", query: Mapping[str, object] | None = None
) -> Request:
    """A GET below an account; `query` values go out in the API's wire form."""
    return Request("GET", _path(account_id, *parts, version=version), wire_query(query or {}))


def act(account_id: Id, *parts: str, body: Json | None = None, repeatable: bool = False) -> Request:
    """A POST below an account (v2)."""
    return Request("POST", _path(account_id, *parts), body=body, repeatable=repeatable)


def below_accounts(method: str, place: str, payload: Json | None, version: str) -> Request:
    """A request to a path after `accounts/` that has no call of its own.

    All paths end in a slash but those of artifacts, which are files of any kind.

    Raises:
        InvalidArgument: If the path holds an empty, `.` or `..` segment.
    """
    path = f"/api/{version}/accounts/{file_path(place.strip('/'))}" if place else f"/api/{version}/accounts"
    if method.upper() != "GET":
        return Request(method.upper(), f"{path}/", body=payload or {}, repeatable=False)
    if "/artifacts/" in path:
        return Request("GET", path, wire_query(payload or {}), accept="*/*")
    return Request("GET", f"{path}/", wire_query(payload or {}))


def any_of(request: Request) -> Call[Response]:
    """The answer itself, whatever it holds."""
    return ask(request)


def _path(account_id: Id, *parts: str, version: str = "v2") -> str:
    return "/".join(("/api", version, "accounts", identifier(account_id, "account id"), *parts, ""))


def wire_query(values: Mapping[str, object]) -> dict[str, str]:
    """Query values as the API takes them; None is left out."""
    return {name: _wire_value(value) for name, value in values.items() if value is not None}


def _wire_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        items = sorted(value) if isinstance(value, set | frozenset) else list(value)
        return json.dumps(items, separators=(",", ":"), default=str)
    return str(value)


def one(request: Request) -> Call[Any]:
    """The `data` of an answer."""
    return envelope(request, (yield from ask(request)))["data"]


def rows(request: Request) -> Call[list[Json]]:
    """All rows of a list, page by page, until a page is empty or the stated total is reached."""
    found: list[Json] = []
    while True:
        query = {**request.query, "limit": str(PAGE_SIZE), "offset": str(len(found))}
        page = Request(request.method, request.path, query)
        body = envelope(page, (yield from ask(page)))
        found += listed(body["data"])
        if not body["data"] or len(found) >= total_of(body):
            return found


def listed(data: Any) -> list[Any]:
    """The rows of a list; dbt Cloud writes null where there are none.

    Raises:
        MalformedResponse: If it is no list.
    """
    if not isinstance(data, list | None):
        raise MalformedResponse(
            "dbt Cloud sent no list where one was asked for", why=f"It sent {outline(data)}"
        )
    return data or []


def total_of(body: Json) -> int:
    """How many rows there are in all; a list that does not say is complete."""
    extra = body.get("extra") or {}
    if "pagination" not in extra:
        return 0
    total = required(extra["pagination"], "total_count", "list")
    if not isinstance(total, int):
        raise MalformedResponse("dbt Cloud sent a list without its length", why=f"It sent {outline(total)}")
    return total

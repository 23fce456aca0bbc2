"""Find a job by its name, and by those of its project and its environment as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dbtcloud.client import endpoints
from dbtcloud.client.errors import LookupFailed
from dbtcloud.client.models import Job
from dbtcloud.client.protocol import Call, Id


def find_job(
    account_id: Id, project_name: str | None, environment_name: str | None, job_name: str
) -> Call[Job]:
    """Return the job of that name in an environment of a project.

    Where the name of the project or of the environment is None, any counts, and the job must be the only one.

    Raises:
        LookupFailed: If no object has one of the names, or several have it.
    """
    if project_name is None:
        jobs = yield from endpoints.list_jobs(account_id, name_contains=job_name)
        if environment_name is None:
            return _only_job(job_name, jobs)
        named = [job for job in jobs if job.name == job_name]
        jobs = yield from _jobs_in_environment(account_id, named, environment_name)
        return _only_job(job_name, jobs, f" in an environment {environment_name!r}")
    projects = yield from endpoints.list_projects(account_id, name_contains=project_name)
    project = only_named("project", project_name, [each.data for each in projects])
    where, within = f" in project {project_name!r}", {"project_id": project["id"]}
    if environment_name is not None:
        environments = yield from endpoints.list_environments(
            account_id, project["id"], name_contains=environment_name
        )
        rows = [each.data for each in environments]
        within["environment_id"] = only_named("environment", environment_name, rows, where)["id"]
        where = f" in environment {environment_name!r} of project {project_name!r}"
    jobs = yield from endpoints.list_jobs(account_id, name_contains=job_name, **within)
    return _only_job(job_name, jobs, where)


def _only_job(name: str, jobs: list[Job], where: str = "") -> Job:
    return Job.parse(only_named("job", name, [job.data for job in jobs], where))


def _jobs_in_environment(account_id: Id, jobs: list[Job], environment_name: str) -> Call[list[Job]]:
    """Return those of the jobs whose environment has the name."""
    found = []
    for job in jobs:
        if job.project_id is None or job.environment_id is None:
            continue
        environment = yield from endpoints.get_environment(account_id, job.project_id, job.environment_id)
        if environment.name == environment_name:
            found.append(job)
    return found


def only_named(
    kind: str, name: str | None, rows: Iterable[Mapping[str, Any]], where: str = ""
) -> Mapping[str, Any]:
    """Return the row that has a name, of rows as dbt Cloud lists them.

    Args:
        kind: What the rows are: "project", "environment" or "job".
        name: The name. dbt Cloud's filter also finds names that only contain it.
        rows: The rows.
        where: Where they were looked for, for the message.

    Raises:
        LookupFailed: If no row has the name, or several have it, which the message lists.
    """
    named = [row for row in rows if name and row.get("name") == name]
    if len(named) != 1:
        raise LookupFailed(kind, name or "", len(named), where=where, candidates=named)
    return named[0]

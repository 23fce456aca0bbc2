"""Find a job by the names of its project, its environment and itself."""

from __future__ import annotations

from typing import TypeVar

from dbtcloud.client import endpoints
from dbtcloud.client.errors import LookupFailed
from dbtcloud.client.models import Environment, Job, Project
from dbtcloud.client.protocol import Call, Id

_N = TypeVar("_N", Project, Environment, Job)


def find_job(account_id: Id, project_name: str, environment_name: str, job_name: str) -> Call[Job]:
    """Return the job of that name in an environment of a project.

    Raises:
        LookupFailed: If no object has one of the names, or several have it.
    """
    projects = yield from endpoints.list_projects(account_id, name_contains=project_name)
    project = _only("project", project_name, projects)
    environments = yield from endpoints.list_environments(
        account_id, project.id, name_contains=environment_name
    )
    environment = _only("environment", environment_name, environments, f" in project {project_name!r}")
    jobs = yield from endpoints.list_jobs(
        account_id, project_id=project.id, environment_id=environment.id, name_contains=job_name
    )
    return _only("job", job_name, jobs, f" in environment {environment_name!r} of project {project_name!r}")


def _only(kind: str, name: str, candidates: list[_N], where: str = "") -> _N:
    # The filter of the API also finds names that only contain the given one.
    named = [candidate for candidate in candidates if candidate.name == name]
    if len(named) != 1:
        raise LookupFailed(kind, name, len(named), where=where)
    return named[0]

"""Find a job by its name and those of its project and its environment, or by its name alone."""

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

    If both other names are None, the job's name must be the only one in the account.

    Raises:
        LookupFailed: If no object has one of the names, or several have it.
    """
    if project_name is None and environment_name is None:
        jobs = yield from endpoints.list_jobs(account_id, name_contains=job_name)
        return Job.parse(only_named("job", job_name, [each.data for each in jobs]))
    projects = yield from endpoints.list_projects(account_id, name_contains=project_name)
    project = only_named("project", project_name, [each.data for each in projects])
    environments = yield from endpoints.list_environments(
        account_id, project["id"], name_contains=environment_name
    )
    where = f" in project {project_name!r}"
    environment = only_named("environment", environment_name, [each.data for each in environments], where)
    jobs = yield from endpoints.list_jobs(
        account_id, project_id=project["id"], environment_id=environment["id"], name_contains=job_name
    )
    where = f" in environment {environment_name!r} of project {project_name!r}"
    return Job.parse(only_named("job", job_name, [each.data for each in jobs], where))


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

"""Conversations of more than one request: finding a job by its names, and waiting for a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from airflow_dbt_cloud.client import endpoints
from airflow_dbt_cloud.client.endpoints import Id
from airflow_dbt_cloud.client.errors import LookupFailed
from airflow_dbt_cloud.client.models import Job, Named, Run
from airflow_dbt_cloud.client.protocol import Call, Sleep

N = TypeVar("N", bound=Named)


def find_job(account_id: Id, project_name: str, environment_name: str, job_name: str) -> Call[Job]:
    """The one job of that name in that environment of that project.

    Raises:
        LookupFailed: If a name is carried by no object or by several.
    """
    projects = yield from endpoints.list_projects(account_id, name_contains=project_name)
    project = only("project", project_name, projects)
    found = yield from endpoints.list_environments(account_id, project.id, name_contains=environment_name)
    environment = only("environment", environment_name, found, f" in project {project_name!r}")
    jobs = yield from endpoints.list_jobs(
        account_id, project_id=project.id, environment_id=environment.id, name_contains=job_name
    )
    return only("job", job_name, jobs, f" in environment {environment_name!r} of project {project_name!r}")


def only(kind: str, name: str, candidates: list[N], where: str = "") -> N:
    """The one candidate that is called `name` exactly: the API's own filter finds parts of names too."""
    named = [candidate for candidate in candidates if candidate.name == name]
    if len(named) != 1:
        raise LookupFailed(kind, name, len(named), where=where)
    return named[0]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a run is looked at, and how long.

    Attributes:
        interval: Seconds between two looks.
        timeout: Seconds after which the waiting ends.
        clock: Seconds that only grow; `time.monotonic` unless a test brings its own.
    """

    interval: float
    timeout: float
    clock: Callable[[], float]


def wait_for_run(
    look: Callable[[], Call[Run]],
    pace: Pace,
    *,
    until: Callable[[Run], bool] = lambda run: run.finished,
    seen: Callable[[Run], object] = bool,
) -> Call[Run]:
    """Look at a run until it is as wanted or the time is up; returns it as last seen.

    Args:
        look: Makes the call that reads the run.
        pace: Interval and timeout; the last pause is shortened so as not to overshoot.
        until: When the waiting ends.
        seen: Told of each look's run.
    """
    deadline = pace.clock() + pace.timeout
    while True:
        run = yield from look()
        seen(run)
        left = deadline - pace.clock()
        if until(run) or left <= 0:
            return run
        yield Sleep(min(pace.interval, left))

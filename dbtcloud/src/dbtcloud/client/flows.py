"""Conversations of more than one request: finding a job by its names, and waiting for a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import DbtCloudError, LookupFailed, RunCancelled, RunFailed, RunTimedOut
from dbtcloud.client.models import Job, Named, Run, RunStatus
from dbtcloud.client.polling.failure_tolerance import FailureTolerance
from dbtcloud.client.protocol import Call, Sleep

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


def unsuccessful(run: Run) -> RunFailed:
    """The error for a run that ended otherwise than with success."""
    kind = RunCancelled if run.status == RunStatus.CANCELLED else RunFailed
    return kind(run.id, run.status, why=run.status_message, url=run.href)


def wait_for_run(
    run_id: int,
    look: Callable[[], Call[Run]],
    pace: Pace,
    tolerance: FailureTolerance,
    *,
    until: Callable[[Run], bool] = lambda run: run.finished,
) -> Call[Run]:
    """Look at a run until it is as wanted.

    Args:
        run_id: The run.
        look: Makes the call that reads the run.
        pace: Interval and timeout; the last pause is shortened so as not to overshoot.
        tolerance: Which failed looks are lived through.
        until: When the waiting ends.

    Raises:
        RunTimedOut: If the time is up first.
        DbtCloudError: If looking fails for good.
    """
    deadline, status, url = pace.clock() + pace.timeout, 0, None
    while True:
        run = yield from _seen(look, tolerance)
        if run is not None and until(run):
            return run
        if run is not None:
            status, url = run.status, run.href or url
        left = deadline - pace.clock()
        if left <= 0:
            raise RunTimedOut(run_id, status, pace.timeout, url=url)
        yield Sleep(min(pace.interval, left))


def _seen(look: Callable[[], Call[Run]], tolerance: FailureTolerance) -> Call[Run | None]:
    """The run, or None where a look failed in a way that is lived through."""
    try:
        run = yield from look()
    except DbtCloudError as error:
        if not tolerance.goes_on(error):
            raise
        return None
    tolerance.succeeded()
    return run

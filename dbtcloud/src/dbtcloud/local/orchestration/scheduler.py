"""The scheduler: starts runs by the cron expressions of jobs, and when runs of other jobs complete.

It follows the clock of the server. When the clock is moved forward, all runs that were due in between start
in their order, each with its due time as its creation time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.model.records import ACTIVE, JobRecord, RunRecord
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.schedule import next_scheduled_time
from dbtcloud.local.store.queries import PageQuery, RunQuery

MAX_RUNS_AT_ONCE = 500
"""The most runs that start when the clock jumps. The others are skipped."""
_CHECK_INTERVAL_SECONDS = 0.2
_ALL = PageQuery(limit=-1, order_by="finished_at")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _DueRun:
    """A run to start: its due time in microseconds, its job, its trigger, and the completed run before it."""

    instant: int
    job: JobRecord
    trigger: Mapping[str, Any]
    completed: RunRecord | None = None


class Scheduler:
    """Starts runs of the jobs that have a schedule or a job completion trigger.

    Runs that were due while the server was off are not started later.

    Args:
        cloud: the local dbt Cloud that has the jobs.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._checked_until = cloud.clock.now()
        # The time of completion of each run that has already started another one. Queries of a range include
        # both ends, so that a run that completes at the end of one check is found again by the next.
        self._triggered: dict[int, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the runs that are due while the context is open.

        Raises:
            LocalServerError: the library for cron expressions is not installed.
        """
        _require_library()
        self._cloud.clock.listeners.append(self.start_due_runs)
        self._cloud.scheduler_is_running = True
        loop = asyncio.create_task(self._run_loop(), name="schedules")
        try:
            yield
        finally:
            loop.cancel()
            self._cloud.clock.listeners.remove(self.start_due_runs)
            with suppress(asyncio.CancelledError):
                await loop

    def start_due_runs(self) -> None:
        """Start the runs that have become due since the last call, the earliest first."""
        until = self._cloud.clock.now()
        # A reset moves the clock back.
        self._advance_to(min(self._checked_until, until))
        started = 0
        while due := self._next_due(until):
            self._advance_to(due[0].instant)
            for each in due:
                # It may complete at once, and so make other runs due before `until`.
                self._start(each)
            started += len(due)
            if started >= MAX_RUNS_AT_ONCE:
                log.warning("More than %s runs were due at once. The others are skipped.", MAX_RUNS_AT_ONCE)
                break
        self._advance_to(until)

    def _next_due(self, until: int) -> list[_DueRun]:
        """Return the runs with the earliest due time, if it is not after `until`."""
        jobs = self._active_jobs()
        due = [*self._by_cron(jobs, until), *self._by_completion(jobs, until)]
        first = min((each.instant for each in due), default=None)
        return [each for each in due if each.instant == first]

    def _active_jobs(self) -> list[JobRecord]:
        definitions = self._cloud.store.definitions
        jobs = (definitions.get(JobRecord, id_) for id_ in definitions.ids(JobRecord))
        return [job for job in jobs if job is not None and job.state == ACTIVE]

    def _by_cron(self, jobs: list[JobRecord], until: int) -> Iterator[_DueRun]:
        for job in jobs:
            instant = next_scheduled_time(job, self._checked_until)
            if instant is not None and instant <= until:
                yield _DueRun(instant, job, {"cause": "scheduled", "cause_category": "scheduled"})

    def _by_completion(self, jobs: list[JobRecord], until: int) -> Iterator[_DueRun]:
        for job in jobs:
            condition = _condition(job)
            if condition:
                for run in self._completed(job.account_id, condition, until):
                    yield _DueRun(run.finished_at or until, job, _completion_trigger(run), completed=run)

    def _completed(self, account_id: int, condition: Mapping[str, Any], until: int) -> Iterator[RunRecord]:
        query = RunQuery(
            account_id,
            job_ids=_integers([condition.get("job_id")]),
            statuses=_integers(condition.get("statuses")),
            finished=(self._checked_until, until),
        )
        for run in self._cloud.store.runs.find(query, _ALL, until)[0]:
            if run.id not in self._triggered:
                yield run

    def _start(self, due: _DueRun) -> None:
        if due.completed is not None:
            self._triggered[due.completed.id] = due.instant
        self._cloud.start(due.job, due.trigger, created_at=due.instant)

    def _advance_to(self, instant: int) -> None:
        self._checked_until = instant
        self._triggered = {run_id: due for run_id, due in self._triggered.items() if due >= instant}

    async def _run_loop(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_INTERVAL_SECONDS)
            try:
                self.start_due_runs()
            except Exception:
                log.exception("The scheduler could not start the runs that are due")


def _condition(job: JobRecord) -> Mapping[str, Any]:
    condition = (job.job_completion_trigger_condition or {}).get("condition")
    return condition if isinstance(condition, dict) else {}


def _integers(values: Any) -> list[int]:
    # The content of a condition is not checked when a job is saved.
    return [value for value in values if type(value) is int] if isinstance(values, list) else []


def _completion_trigger(run: RunRecord) -> dict[str, Any]:
    return {"cause": f"Run {run.id} of job {run.job_id} has completed", "cause_category": "job completion"}


def _require_library() -> None:
    if find_spec("croniter") is None:
        raise LocalServerError(
            "The scheduler needs croniter, which is not installed."
            " Install it with: pip install 'dbtcloud[local]'"
        )

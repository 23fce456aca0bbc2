"""Schedules: runs start by the cron lines of jobs, and when runs of other jobs complete.

Everything happens by the server's clock: when that is moved forward, what was due meanwhile is started in its
order, each run as of the instant that it was due at.
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
from dbtcloud.local.orchestration.cron import next_firing
from dbtcloud.local.store.interface import PageQuery, RunQuery

MOST_AT_ONCE = 500
"""When the clock jumps, no more runs are started; the rest of what was due is left out."""
_LOOK_EVERY_SECONDS = 0.2
_EVERY = PageQuery(limit=-1, order_by="finished_at")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is to start: when (microseconds), of which job, why, and on which run's completion."""

    instant: int
    job: JobRecord
    trigger: Mapping[str, Any]
    completed: RunRecord | None = None


class Schedules:
    """Starts runs of the jobs that have a schedule or a job completion trigger.

    What was due while the server was off is not made up for.

    Args:
        cloud: whose jobs.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._seen = cloud.clock.now()
        self._told: dict[int, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start what is due as long as the context lasts.

        Raises:
            LocalServerError: where the library for cron lines is not installed.
        """
        _require_library()
        self._cloud.clock.listeners.append(self.look)
        self._cloud.schedules_run = True
        watch = asyncio.create_task(self._watch(), name="schedules")
        try:
            yield
        finally:
            watch.cancel()
            self._cloud.clock.listeners.remove(self.look)
            with suppress(asyncio.CancelledError):
                await watch

    def look(self) -> None:
        """Start what has become due since the last look, the earliest first."""
        until = self._cloud.clock.now()
        self._go_on_to(min(self._seen, until))
        begun = 0
        while due := self._next(until):
            self._go_on_to(due[0].instant)
            for each in due:
                self._start(each)
            begun += len(due)
            if begun >= MOST_AT_ONCE:
                log.warning("More than %s runs were due at once; the rest is left out.", MOST_AT_ONCE)
                break
        self._go_on_to(until)

    def _next(self, until: int) -> list[Due]:
        """What is due first of all that is due by `until`."""
        jobs = self._jobs()
        due = [*self._by_cron(jobs, until), *self._by_completion(jobs, until)]
        first = min((each.instant for each in due), default=None)
        return [each for each in due if each.instant == first]

    def _jobs(self) -> list[JobRecord]:
        definitions = self._cloud.store.definitions
        jobs = (definitions.get(JobRecord, id_) for id_ in definitions.ids(JobRecord))
        return [job for job in jobs if job is not None and job.state == ACTIVE]

    def _by_cron(self, jobs: list[JobRecord], until: int) -> Iterator[Due]:
        for job in jobs:
            instant = next_firing(job, self._seen)
            if instant is not None and instant <= until:
                yield Due(instant, job, {"cause": "scheduled", "cause_category": "scheduled"})

    def _by_completion(self, jobs: list[JobRecord], until: int) -> Iterator[Due]:
        for job in jobs:
            condition = _condition(job)
            if condition:
                for run in self._completed(job.account_id, condition, until):
                    yield Due(run.finished_at or until, job, _after(run), completed=run)

    def _completed(self, account_id: int, condition: Mapping[str, Any], until: int) -> Iterator[RunRecord]:
        query = RunQuery(
            account_id,
            job_ids=_numbers([condition.get("job_id")]),
            statuses=_numbers(condition.get("statuses")),
            finished=(self._seen, until),
        )
        for run in self._cloud.store.runs.find(query, _EVERY, until)[0]:
            if run.id not in self._told:
                yield run

    def _start(self, due: Due) -> None:
        if due.completed is not None:
            self._told[due.completed.id] = due.instant
        self._cloud.start(due.job, due.trigger, created_at=due.instant)

    def _go_on_to(self, instant: int) -> None:
        self._seen = instant
        self._told = {run_id: told for run_id, told in self._told.items() if told >= instant}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                self.look()
            except Exception:
                log.exception("Schedules could not be followed")


def _condition(job: JobRecord) -> Mapping[str, Any]:
    condition = (job.job_completion_trigger_condition or {}).get("condition")
    return condition if isinstance(condition, dict) else {}


def _numbers(values: Any) -> list[int]:
    """The whole numbers in a list: nobody has checked what is within a condition."""
    return [value for value in values if type(value) is int] if isinstance(values, list) else []


def _after(run: RunRecord) -> dict[str, Any]:
    return {"cause": f"Run {run.id} of job {run.job_id} has completed", "cause_category": "job completion"}


def _require_library() -> None:
    if find_spec("croniter") is None:
        raise LocalServerError(
            "Schedules take croniter, which is not installed. Install it with: pip install 'dbtcloud[local]'"
        )

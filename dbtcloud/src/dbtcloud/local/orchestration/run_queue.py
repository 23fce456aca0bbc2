"""The queue of real runs: first in, first out, one at a time in each environment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import CANCELLED_BY_USER, RunRecord, Status, StepRecord
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan
from dbtcloud.local.store.interface import Store

STOPPED = "The local dbt Cloud was stopped while this run was going."
LOST = "The local dbt Cloud ended unexpectedly while this run was going; its dbt was ended with it."
_GRACE_SECONDS = 10.0

Execute = Callable[[RunPlan, RunObserver, asyncio.Event], Awaitable[Outcome]]
"""Executes a run and says how it ended: `dbtcloud.local.execution.execute.execute`."""

Tidy = Callable[[frozenset[int]], Awaitable[None]]

log = logging.getLogger(__name__)


class RunQueue:
    """Runs real dbt, each environment's runs in the order they came.

    Args:
        store: where what happens is written.
        clock: tells the instants.
        plan: makes a run's plan; its errors end the run.
        execute: executes a plan.
        tidy: is called after each run, with the ids of the runs that wait or go, or are taken up by those.
    """

    def __init__(
        self, store: Store, clock: Clock, plan: Callable[[RunRecord], RunPlan], execute: Execute, tidy: Tidy
    ) -> None:
        self._store, self._clock, self._plan, self._execute = store, clock, plan, execute
        self._tidy = tidy
        self._lines: dict[int, list[RunRecord]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._cancelled: dict[int, asyncio.Event] = {}
        self._stopping = False

    def recover(self) -> None:
        """Go on after an earlier server: what waited waits again, what was going has failed.

        A run whose executor is lost ends in error, as in dbt Cloud when a run is out of memory (platform
        release notes, July 2026).
        """
        for run in self._store.runs.unfinished():
            if run.dequeued_at is None:
                self.submit(run)
            else:
                self._lose(run)

    def submit(self, run: RunRecord) -> None:
        """Put a run at the end of its environment's line."""
        self._lines.setdefault(run.environment_id, []).append(run)
        self._cancelled[run.id] = asyncio.Event()
        if run.environment_id not in self._workers:
            worker = asyncio.create_task(
                self._work(run.environment_id), name=f"environment {run.environment_id}"
            )
            self._workers[run.environment_id] = worker

    def ahead_of(self, run: RunRecord) -> list[int]:
        """Return the run that this one waits for, in a list; empty when it waits for none."""
        line = [other.id for other in self._lines.get(run.environment_id, ())]
        place = line.index(run.id) if run.id in line else 0
        return line[place - 1 : place] if place else []

    def cancel(self, run: RunRecord) -> None:
        """End a waiting run at once, and ask a going one to end; a finished one stays as it is."""
        line = self._lines.get(run.environment_id, [])
        waiting = [other for other in line[1:] if other.id == run.id]
        if waiting:
            line.remove(waiting[0])
            self._end(run.id, Outcome(Status.CANCELLED, CANCELLED_BY_USER))
        elif run.id in self._cancelled:
            self._cancelled[run.id].set()

    async def stop(self) -> None:
        """Cancel the runs that are going and wait for that; those that wait stay queued in the store."""
        self._stopping = True
        for line in self._lines.values():
            for run in line[1:]:
                self._cancelled.pop(run.id, None)
            del line[1:]
        for event in self._cancelled.values():
            event.set()
        await self._finish_workers()
        self._stopping = False

    async def _finish_workers(self) -> None:
        workers = list(self._workers.values())
        if not workers:
            return
        _, late = await asyncio.wait(workers, timeout=_GRACE_SECONDS)
        for worker in late:
            worker.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, environment_id: int) -> None:
        line = self._lines[environment_id]
        try:
            while line:
                self._end(line[0].id, await self._live(line[0]))
                del line[0]
                await self._tidied()
        finally:
            del self._workers[environment_id], self._lines[environment_id]

    async def _tidied(self) -> None:
        """Tidy; whatever goes wrong with that is no reason to leave those that wait where they are."""
        try:
            await self._tidy(self._needed())
        except Exception:
            log.exception("Files of finished runs could not be thrown away")

    def _needed(self) -> frozenset[int]:
        """The runs that wait or go, and those that they take up at their failure."""
        runs = [run for line in self._lines.values() for run in line]
        return frozenset({run.id for run in runs} | {run.retrying_run_id or 0 for run in runs})

    async def _live(self, run: RunRecord) -> Outcome:
        try:
            outcome = await self._execute(
                self._plan(run), RunRecorder(self._store, self._clock, run), self._cancelled[run.id]
            )
        except Exception as error:
            log.exception("Run %s could not be executed", run.id)
            return Outcome(Status.ERROR, f"The local dbt Cloud could not execute this run: {error}")
        return Outcome(Status.CANCELLED, STOPPED) if self._stopping else outcome

    def _lose(self, run: RunRecord) -> None:
        for step in self._store.steps.for_run(run.id):
            if step.finished_at is None:
                self._store.steps.log(run.id, step.index, f"{LOST}\n")
                self._store.steps.finish(run.id, step.index, Status.ERROR, self._clock.now())
        self._end(run.id, Outcome(Status.ERROR, LOST))

    def _end(self, run_id: int, outcome: Outcome) -> None:
        self._cancelled.pop(run_id, None)
        self._store.runs.update(
            run_id, finished_at=self._clock.now(), outcome=int(outcome.status), message=outcome.message
        )


class RunRecorder:
    """Writes what execution tells of a run into the store."""

    def __init__(self, store: Store, clock: Clock, run: RunRecord) -> None:
        self._store, self._clock, self._run = store, clock, run

    def starting(self) -> None:
        """Note that the run left the queue."""
        self._store.runs.update(self._run.id, dequeued_at=self._clock.now())

    def running(self) -> None:
        """Note that the run's first step is about to start."""
        self._store.runs.update(self._run.id, started_at=self._clock.now())

    def checked_out(self, branch: str | None, sha: str) -> None:
        """Note the commit that the run is of."""
        self._store.runs.update(self._run.id, git_branch=branch, git_sha=sha)

    def step_started(self, index: int, name: str, command: str | None) -> None:
        """Note a step's begin."""
        now = self._clock.now()
        self._store.steps.start(
            StepRecord(
                self._run.id, self._run.account_id, index, name, Status.RUNNING, command, started_at=now
            )
        )

    def step_log(self, index: int, text: str) -> None:
        """Append to a step's log."""
        self._store.steps.log(self._run.id, index, text)

    def step_finished(self, index: int, status: int) -> None:
        """Note a step's end."""
        self._store.steps.finish(self._run.id, index, Status(status), self._clock.now())

"""The queue of real runs: one run at a time in each environment, in the order of their creation."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import CANCELLED_BY_USER, RunRecord, Status, StepRecord
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan
from dbtcloud.local.store.database import Store

LOST = "The local dbt Cloud ended unexpectedly during this run. Its dbt process was ended, too."
"""The status message of runs that were running when the server was killed."""

_STOPPED = "The local dbt Cloud was stopped during this run."
_GRACE_SECONDS = 10.0

Execute = Callable[[RunPlan, RunObserver, asyncio.Event], Awaitable[Outcome]]
"""Executes a run and returns its outcome, as `dbtcloud.local.execution.execute.execute` does."""

_DeleteArtifacts = Callable[[frozenset[int]], Awaitable[None]]

log = logging.getLogger(__name__)


class RunQueue:
    """Executes the runs of each environment one after the other.

    Args:
        store: the store for the changes of runs.
        clock: the clock of the server.
        plan: returns the plan of a run. An error of it ends the run.
        execute: executes a plan.
        delete_old_artifacts: called after each run, with the ids of runs whose artifacts must stay.

    Attributes:
        store_retry_seconds: the time between two attempts to store the end of a run, as on a full disk.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        plan: Callable[[RunRecord], RunPlan],
        execute: Execute,
        delete_old_artifacts: _DeleteArtifacts,
    ) -> None:
        self._store, self._clock, self._plan, self._execute = store, clock, plan, execute
        self._delete_old_artifacts = delete_old_artifacts
        self._queues: dict[int, list[RunRecord]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        # The event of each waiting or running run, which is set to cancel it.
        self._cancelled: dict[int, asyncio.Event] = {}
        self._stopping = False
        self.store_retry_seconds = 1.0

    def recover(self) -> None:
        """Queue the waiting runs of an earlier server again, and fail those that were running.

        A run that loses its process ends in error, as a run that is out of memory does in dbt Cloud (platform
        release notes, July 2026).
        """
        for run in self._store.runs.unfinished():
            if run.dequeued_at is None:
                self.submit(run)
            else:
                self._fail_lost_run(run)

    def submit(self, run: RunRecord) -> None:
        """Add a run to the end of the queue of its environment."""
        self._queues.setdefault(run.environment_id, []).append(run)
        self._cancelled[run.id] = asyncio.Event()
        if run.environment_id not in self._workers:
            worker = asyncio.create_task(
                self._work(run.environment_id), name=f"environment {run.environment_id}"
            )
            self._workers[run.environment_id] = worker

    def blocked_by(self, run: RunRecord) -> list[int]:
        """Return the id of the run that this one waits for, as a list that may be empty."""
        ids = [other.id for other in self._queues.get(run.environment_id, ())]
        place = ids.index(run.id) if run.id in ids else 0
        return ids[place - 1 : place] if place else []

    def cancel(self, run: RunRecord) -> None:
        """Cancel a waiting run at once, or stop the process of a running one.

        Nothing happens to a finished run.
        """
        queue = self._queues.get(run.environment_id, [])
        # The first run of the queue is running: it ends when its process has ended.
        waiting = [other for other in queue[1:] if other.id == run.id]
        if waiting:
            # First in the store, which may refuse it.
            self._end(run.id, Outcome(Status.CANCELLED, CANCELLED_BY_USER))
            queue.remove(waiting[0])
        elif run.id in self._cancelled:
            self._cancelled[run.id].set()

    async def stop(self) -> None:
        """Cancel the running runs and wait for their end. Waiting runs stay queued in the store."""
        self._stopping = True
        for queue in self._queues.values():
            for run in queue[1:]:
                self._cancelled.pop(run.id, None)
            del queue[1:]
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
        queue = self._queues[environment_id]
        try:
            while queue:
                await self._store_end(queue[0].id, await self._execute_run(queue[0]))
                del queue[0]
                await self._clean_up()
        finally:
            del self._workers[environment_id], self._queues[environment_id]

    async def _store_end(self, run_id: int, outcome: Outcome) -> None:
        """Store the end of a run. If the disk is full, wait for space, which the next run needs, too."""
        is_reported = False
        while True:
            try:
                self._end(run_id, outcome)
            except sqlite3.Error as error:
                if not is_reported:
                    log.error("Run %s has ended, but its end cannot be stored yet: %s.", run_id, error)  # noqa: TRY400 - no bug
                    is_reported = True
                await asyncio.sleep(self.store_retry_seconds)
            else:
                return

    async def _clean_up(self) -> None:
        try:
            await self._delete_old_artifacts(self._needed_runs())
        except Exception:
            # The next run in the queue must start anyway.
            log.exception("The artifacts of finished runs could not be deleted")

    def _needed_runs(self) -> frozenset[int]:
        """Return the ids of all unfinished runs, and of the runs that they retry."""
        runs = [run for queue in self._queues.values() for run in queue]
        return frozenset({run.id for run in runs} | {run.retrying_run_id or 0 for run in runs})

    async def _execute_run(self, run: RunRecord) -> Outcome:
        try:
            outcome = await self._execute(
                self._plan(run), _RunRecorder(self._store, self._clock, run), self._cancelled[run.id]
            )
        except Exception as error:
            log.exception("Run %s could not be executed", run.id)
            return Outcome(Status.ERROR, f"The local dbt Cloud could not execute this run: {error}")
        return Outcome(Status.CANCELLED, _STOPPED) if self._stopping else outcome

    def _fail_lost_run(self, run: RunRecord) -> None:
        for step in self._store.steps.for_run(run.id):
            if step.finished_at is None:
                self._store.steps.log(run.id, step.index, f"{LOST}\n")
        self._end(run.id, Outcome(Status.ERROR, LOST))

    def _end(self, run_id: int, outcome: Outcome) -> None:
        # The end of a step is missing if the server was killed or the store could not be written.
        self._store.steps.finish_all(run_id, Status(outcome.status), self._clock.now())
        self._store.runs.update(
            run_id, finished_at=self._clock.now(), outcome=int(outcome.status), message=outcome.message
        )
        self._cancelled.pop(run_id, None)


class _RunRecorder:
    """A `RunObserver` that writes the changes of a run into the store."""

    def __init__(self, store: Store, clock: Clock, run: RunRecord) -> None:
        self._store, self._clock, self._run = store, clock, run

    def starting(self) -> None:
        """Set the time at which the run left the queue."""
        self._store.runs.update(self._run.id, dequeued_at=self._clock.now())

    def running(self) -> None:
        """Set the start time of the run."""
        self._store.runs.update(self._run.id, started_at=self._clock.now())

    def checked_out(self, branch: str | None, sha: str) -> None:
        """Set the branch and commit of the run."""
        self._store.runs.update(self._run.id, git_branch=branch, git_sha=sha)

    def step_started(self, index: int, name: str, command: str | None) -> None:
        """Add a running step."""
        now = self._clock.now()
        self._store.steps.start(
            StepRecord(
                self._run.id, self._run.account_id, index, name, Status.RUNNING, command, started_at=now
            )
        )

    def step_log(self, index: int, text: str) -> None:
        """Append to the log of a step."""
        self._store.steps.log(self._run.id, index, text)

    def step_finished(self, index: int, status: int) -> None:
        """Set the status and the end time of a step."""
        self._store.steps.finish(self._run.id, index, Status(status), self._clock.now())

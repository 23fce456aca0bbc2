"""The runs that earlier tries of a task have started, as far as anything shows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.run.task_state import KeptStart, TaskState
from dbtcloud.client.errors import AmbiguousStart, NotFound
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.run_start import SEARCH_DELAYS
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.client.run_search import FoundRuns


class _JobStarter(Protocol):
    """The part of the starter of a job that the search uses."""

    hook: DbtCloudHook
    log: Logger
    account_id: int | str | None
    job_id: int | str
    time_left: Callable[[], float]

    def find_runs(self) -> FoundRuns:
        """Return the runs of the task that dbt Cloud lists."""


class EarlierRuns:
    """The search for the runs of earlier tries.

    Args:
        starter: Finds the runs of the task that dbt Cloud lists.
        state: What Airflow has stored of the earlier tries.
        marker: The marker of the present try.
        is_only_start: Whether a try of the task starts one run only.
    """

    def __init__(
        self, starter: _JobStarter, state: TaskState, marker: Marker, *, is_only_start: bool
    ) -> None:
        self._starter, self._state, self._marker = starter, state, marker
        self._is_only_start = is_only_start

    def find(self) -> FoundRuns:
        """Return the runs of this task, after waiting for one that an earlier try requested in vain.

        Raises:
            DbtCloudApiException: If it stays unknown whether an earlier try has started a run.
        """
        starts = [start for start in self._state.starts() if self._may_belong_here(start.marker)]
        found = self._find_requested(starts)
        listed = {run.id for run in found}
        known = (self._read_run(start) for start in starts if start.run_id and start.run_id not in listed)
        found.extend(known)
        return found

    def _find_requested(self, starts: list[KeptStart]) -> FoundRuns:
        """Return the runs of this task, once those of all these starts are among them or time is up."""
        try:
            found = self._starter.find_runs()
            for delay in SEARCH_DELAYS:
                if all(start.run_id or any(map(start.is_of, found)) for start in starts):
                    break
                self._wait_for_list(delay)
                found = self._starter.find_runs()
        except DbtCloudApiException as error:
            if all(start.run_id for start in starts) or isinstance(error.error, AmbiguousStart):
                raise
            why = f"An earlier try requested it, and the search for it has failed: {error}"
            raise self._unclear(why) from error.error
        return found

    def _unclear(self, why: str) -> DbtCloudApiException:
        """Return the exception for tries of this task of which nobody knows what they have started."""
        return DbtCloudApiException(error=AmbiguousStart(self._marker.task, why=why))

    def require_clarity(self, runs: FoundRuns) -> None:
        """Check that no other run may be of an earlier try.

        Raises:
            DbtCloudApiException: If one may be.
        """
        doubts = getattr(runs, "doubts", None)  # a replaced verb may return a plain list
        if not doubts or self._state.knows_all_starts(runs) or self._started_by_last_try(runs):
            return
        why = "; ".join(doubts)
        if self._state.is_first_of_generation(self._marker):
            self._starter.log.warning("Earlier tries may have left a run that nobody follows: %s.", why)
            return
        raise self._unclear(f"After an earlier try, {why}")

    def _started_by_last_try(self, runs: list[Run]) -> bool:
        """Return whether the last try's run is among these. That try had no doubts about those before it."""
        last = replace(self._marker, attempt=self._marker.attempt - 1)
        return any(Marker.find(run.cause) == last for run in runs)

    def _may_belong_here(self, marker: Marker) -> bool:
        """Return whether a start is of an earlier try of what this try is about to do."""
        is_earlier = marker.task == self._marker.task and marker.attempt < self._marker.attempt
        return is_earlier and (self._is_only_start or marker.payload == self._marker.payload)

    def _wait_for_list(self, delay: float) -> None:
        """Pause before the next search for the run of an earlier try.

        Raises:
            DbtCloudApiException: If no time is left.
        """
        if delay > self._starter.time_left():
            raise self._unclear("An earlier try requested it, and the timeout ended the search for it")
        self._starter.log.info(
            "The run that an earlier try requested is not listed yet; searching again in %g s.", delay
        )
        time.sleep(delay)

    def _read_run(self, start: KeptStart) -> Run:
        """Return a run that the list does not show yet, as it is or, where it cannot be read, as running."""
        try:
            answer = self._starter.hook.get_job_run(
                run_id=start.run_id or 0, account_id=self._starter.account_id
            )
            data = answer.json()["data"]
        except DbtCloudApiException as error:
            if not isinstance(error.error, NotFound):
                raise
            data = {"id": start.run_id, "status": RunStatus.QUEUED, "job_definition_id": self._starter.job_id}
        retried = {"retrying_run_id": start.retried_run_id} if start.retried_run_id else {}
        return replace(Run.parse({**data, **retried}), cause=str(start.marker))

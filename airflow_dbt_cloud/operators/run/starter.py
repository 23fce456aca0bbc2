"""The base of the two ways to obtain the run that a task follows: start a job, or retry a run."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.client.models import Run
    from dbtcloud.report.retry_plan import RetryPlan

_KILL_SEARCH_DELAYS = (0.0, 0.5, 1.0, 1.0)
"""Seconds before each search of a killed task for the run that it was starting; it has about five in all."""


@dataclass(frozen=True, slots=True)
class Started:
    """The run that a task follows.

    Attributes:
        run: The run as dbt Cloud describes it.
        owned: Whether this task started it, in this or an earlier try; only then may the task cancel it.
        adopted: Whether an earlier try started it. If such a run ends cancelled, the cancelling was meant for
            that try, and a new run takes its place.
    """

    run: Mapping[str, Any]
    owned: bool = True
    adopted: bool = False


class StartingTask(Protocol):
    """The attributes of an operator that a starter uses."""

    account_id: int | str | None

    @property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""

    @property
    def log(self) -> Logger:
        """The task's log."""

    def stop_if_killed(self) -> None:
        """Raise if the task was killed meanwhile."""


class RunStarter(ABC):
    """Obtains the run that a task follows.

    Args:
        task: The operator whose arguments and hook are used.
    """

    def __init__(self, task: StartingTask) -> None:
        self.hook, self.log, self.account_id = task.hook, task.log, task.account_id
        self._stop_if_killed = task.stop_if_killed
        self._is_submitted: Callable[[Run], bool] | None = None

    @abstractmethod
    def obtain_run(self) -> Started:
        """Return a run that there is already, where the task may follow it, or else start one."""

    @abstractmethod
    def start_new(self) -> Started:
        """Start a run, whatever runs there are."""

    @abstractmethod
    def _find_runs(self) -> list[Run]:
        """Return the runs that this task may have started."""

    def find_submitted(self) -> Run | None:
        """Return the run that was requested and whose answer has not arrived, or None."""
        if self._is_submitted is None:
            return None
        for delay in _KILL_SEARCH_DELAYS:  # the request may still be on its way
            time.sleep(delay)
            for run in filter(self._is_submitted, self._find_runs()):
                return run
        return None

    def _retry_run(self, run_id: int) -> Started:
        """Start a run that continues where a run failed.

        Raises:
            DbtCloudApiException: If dbt Cloud refuses; its `error` is a `NotRetryable` with the reason.
        """
        self._is_submitted = lambda run: run.retried_run_id == run_id
        answer = self.hook.retry_job_run(run_id=run_id, account_id=self.account_id)
        return Started(answer.json()["data"])

    def _log_retry_plan(self, run_id: int) -> RetryPlan | None:
        """Log what a retry of a run is going to execute, and return it, or None if it cannot be read."""
        from dbtcloud.report.retry_plan import plan_log_lines

        try:
            plan = self.hook.get_job_run_retry_plan(run_id=run_id, account_id=self.account_id)
            for line in plan_log_lines(plan):
                self.log.info(line)
        except Exception as error:  # noqa: BLE001 -- the plan is for the reader of the log only
            self.log.warning("Could not tell what a retry of run %s is going to execute: %s", run_id, error)
            return None
        return plan

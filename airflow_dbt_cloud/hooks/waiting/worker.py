"""Watching a run on a worker: each look goes through the hook's verbs, and what changed is logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.job_runs.progress import Progress
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import Run, RunStatus
from dbtcloud.client.protocol import Call, identifier
from dbtcloud.client.run_wait import PollSchedule, wait_for_run

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


class Watch:
    """Looks at one run by the hook's public verbs and logs status changes and step starts.

    Args:
        hook: Whose verbs are used.
        run_id: The run.
        account_id: The account, or None for the connection's.
    """

    def __init__(self, hook: DbtCloudHook, run_id: int | str, account_id: int | str | None) -> None:
        self.hook, self.run_id, self.account_id = hook, run_id, account_id
        self.progress = Progress(run_id, hook.log)

    def until(self, wanted: Callable[[Run], bool], interval: float, timeout: float) -> Call[Run]:
        """Wait until the run is as wanted; seconds between looks, and seconds in all."""
        run_id = int(identifier(self.run_id, "run id"))
        schedule = PollSchedule(interval, timeout, time.monotonic)
        tolerance = FailureTolerance(time.monotonic, self.hook.log.warning)
        return (yield from wait_for_run(run_id, self._look, schedule, tolerance, until=wanted))

    def _look(self) -> Call[Run]:
        """The run with its present status; the hook's verb does the asking."""
        yield from ()
        try:
            status = self.hook.get_job_run_status(run_id=self.run_id, account_id=self.account_id)
        except DbtCloudApiException as error:
            raise (error.error or error) from error
        self.progress.status(status)
        if status == RunStatus.RUNNING:
            self.progress.steps(self._steps)
        return Run(id=int(self.run_id), status=status, href=self.hook.run_url(self.run_id))

    def _steps(self) -> Run:
        answer = self.hook.get_job_run(self.run_id, self.account_id, include_related=["run_steps"])
        return Run.parse(answer.json()["data"])

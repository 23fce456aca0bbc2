"""Waits for a run on a worker: each poll goes through the hook's verbs, and changes are logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.job_runs.progress import ProgressLog
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, identifier
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.run_wait import PollSchedule
from dbtcloud.client.transport.time_limit import time_limit

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from requests import Response


class _RunReader(Protocol):
    """The part of a hook that a wait uses.

    These are public verbs, so that overriding one takes effect.
    """

    @property
    def log(self) -> Logger:
        """The task's log."""

    def get_job_run_status(self, run_id: int | str, account_id: int | str | None = None) -> int:
        """Return the run's status code."""

    def get_job_run(
        self,
        run_id: int | str,
        account_id: int | str | None = None,
        include_related: list[str] | None = None,
    ) -> Response:
        """Return the run."""

    def run_url(self, run_id: int | str) -> str | None:
        """Return the run's page, as far as it is known."""

    def has_read(self, run_id: int | str) -> bool:
        """Return whether dbt Cloud itself has described the run."""


def wait_on_worker(
    hook: _RunReader,
    run_id: int | str,
    account_id: int | str | None,
    *,
    until: Callable[[Run], bool],
    interval: float,
    timeout: float,
) -> Call[Run]:
    """Wait until a run fulfils a condition, and log its changes of status and its steps.

    Args:
        hook: The hook.
        run_id: The run.
        account_id: The account; the connection's if None.
        until: The condition.
        interval: Seconds between two polls.
        timeout: Seconds to wait at most.

    Raises:
        RunTimedOut: If the time is up first.
        DbtCloudError: If polling fails for good.
    """
    progress = ProgressLog(run_id, hook.log)

    def read_steps() -> Run:
        response = hook.get_job_run(run_id, account_id, include_related=["run_steps"])
        return Run.parse(response.json()["data"])

    def poll() -> Call[Run]:
        yield from ()  # a call that sends nothing itself: the verb does
        try:
            status = hook.get_job_run_status(run_id=run_id, account_id=account_id)
        except DbtCloudApiException as error:
            raise (error.error or error) from error
        progress.log_status(status)
        if status == RunStatus.RUNNING and hook.has_read(run_id):
            progress.log_steps(read_steps)
        return Run(id=int(run_id), status=status, href=hook.run_url(run_id))

    number = int(identifier(run_id, "run id"))
    schedule = PollSchedule(interval, timeout, time.monotonic, time_limit)
    tolerance = FailureTolerance(time.monotonic, hook.log.warning)
    return (yield from schedule.wait_for_run(number, poll, tolerance, until=until))

"""The operator that cancels a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus
from airflow_dbt_cloud.links import DbtCloudRunJobOperatorLink, push_run_url
from airflow_dbt_cloud.operators.base import DbtCloudBaseOperator
from airflow_dbt_cloud.tasks.template_values import TemplateValue, or_none
from dbtcloud.client.errors import RunTimedOut
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dbtcloud.client.models import Run


class DbtCloudCancelJobRunOperator(DbtCloudBaseOperator):
    """Cancel a run, and return its id.

    A run that has ended already stays as it is, and the task succeeds.

    Args:
        run_id: The run.
        wait_for_termination: Whether to wait until the run has ended, which takes dbt Cloud a while.
        timeout: Seconds (or a timedelta) for everything: to cancel the run, and to wait for its end. The
            default is enough to wait out the five minutes in which dbt Cloud refuses too many requests.
        check_interval: Seconds (or a timedelta) between two polls.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudJobRunException: If the run has not ended in time.
        DbtCloudApiException: If there is no such run, or dbt Cloud cannot be reached.
        ValueError: If an argument cannot be used.
    """

    template_fields = ("dbt_cloud_conn_id", "run_id", "account_id")
    operator_extra_links = (DbtCloudRunJobOperatorLink(),)

    def __init__(
        self,
        *,
        run_id: int | str,
        wait_for_termination: bool = True,
        timeout: float = 600,
        check_interval: float = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.wait_for_termination = wait_for_termination
        self.timeout = timeout
        self.check_interval = check_interval

    def execute(self, context: Context) -> int:
        """Cancel the run unless it has ended, and wait for its end if asked to."""
        from dbtcloud.client.transport.time_limit import time_limit

        timeout = TemplateValue("timeout", self.timeout).seconds()
        check_interval = TemplateValue("check_interval", self.check_interval).seconds()
        began = time.monotonic()
        with time_limit(timeout):
            run = self._read_run()
            push_run_url(context["ti"], run.href)
            if run.finished:
                self.log.info("There is nothing to cancel: run %s %s.", run.id, _ending(run))
                return run.id
            self.hook.cancel_job_run(run_id=run.id, account_id=self._account())
        status = RunStatus.name_of(run.status).lower()
        self.log.info("dbt Cloud is cancelling run %s; it was %s.", run.id, status)
        if self.wait_for_termination:
            self._wait(run, began, timeout, check_interval)
        return run.id

    def _read_run(self) -> Run:
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
        from dbtcloud.client.models import Run

        if or_none(self.run_id) is None:
            raise ValueError("run_id is empty. It has to be the id of a run.")
        answer = self.hook.get_job_run(run_id=self.run_id, account_id=self._account())
        with as_airflow_exceptions():
            return Run.parse(answer.json()["data"])

    def _wait(self, run: Run, began: float, timeout: float, check_interval: float) -> None:
        try:
            ended = self.hook.wait_for_job_run_status(
                run_id=run.id,
                account_id=self._account(),
                expected_statuses=DbtCloudJobRunStatus.TERMINAL_STATUSES.value,
                check_interval=check_interval,
                timeout=max(0.0, began + timeout - time.monotonic()),
            )
        except DbtCloudJobRunException as error:
            if not isinstance(error.error, RunTimedOut):
                raise
            message = (
                f"Run {run.id} was cancelled, but has not ended within {timeout:g} seconds. See {run.href}"
            )
            raise DbtCloudJobRunException(message, error=error.error) from error.error
        if not ended:  # our own verb raises; one that replaces it may return False
            raise DbtCloudJobRunException(f"Run {run.id} was cancelled, but has not ended. See {run.href}")
        self.log.info("Run %s %s.", run.id, _ending(self._read_run()))


def _ending(run: Run) -> str:
    """Return how a run has ended, perhaps before dbt Cloud could cancel it."""
    if run.status == RunStatus.CANCELLED:
        return "is cancelled"
    return f"had ended already, with status {RunStatus.name_of(run.status)}"

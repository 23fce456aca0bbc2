"""The operator that continues a failed run where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_dbt_cloud.operators.run.lifecycle import JobRunLifecycle
from airflow_dbt_cloud.tasks.template_values import or_none

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.operators.run.retry_starter import RetryStarter


class DbtCloudRetryJobRunOperator(JobRunLifecycle, BaseOperator):
    """Retry a failed run from its failure and, unless `wait_for_termination` is False, wait for the new run.

    dbt Cloud starts a new run of the same job, with the overrides of the run that failed. It executes the
    nodes that failed or were skipped, then the commands that were not reached; the log lists them first. The
    new run's id (int) is the return value. Its XComs `job_run_url` and `job_run_id` are there right after the
    start.

    A retry of this task continues what its earlier tries started: it waits for a run that is still running,
    takes its success, and retries it in turn if it failed.

    Args:
        run_id: The run that failed; it has to be the latest of its job.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        wait_for_termination: Whether to wait for the new run's end.
        timeout: Seconds (or a timedelta) to wait.
        check_interval: Seconds (or a timedelta) between two polls.
        deferrable: Wait in the triggerer rather than on the worker.
        hook_params: Further arguments of `DbtCloudHook`.
        cancel_on_timeout: Whether `timeout` also cancels the new run. `execution_timeout` always does.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If the run cannot be retried (its `error` is a `NotRetryable` with the reason),
            or dbt Cloud cannot be reached.
        DbtCloudJobRunException: If the new run fails, is cancelled, or does not end in time.
        ValueError: If an argument cannot be used.
    """

    template_fields = ("dbt_cloud_conn_id", "run_id", "account_id")

    def __init__(
        self,
        *,
        run_id: int | str,
        dbt_cloud_conn_id: str = "dbt_cloud_default",
        account_id: int | str | None = None,
        wait_for_termination: bool = True,
        timeout: float = 60 * 60 * 24 * 7,
        check_interval: float = 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        hook_params: dict[str, Any] | None = None,
        cancel_on_timeout: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.account_id = account_id
        self.wait_for_termination = wait_for_termination
        self.timeout = timeout
        self.check_interval = check_interval
        self.deferrable = deferrable
        self.hook_params = hook_params or {}
        self.cancel_on_timeout = cancel_on_timeout

    def execute(self, context: Context) -> int:
        """Retry the run, or follow the retry of an earlier try, and wait for its end.

        With `deferrable`, the wait continues in the triggerer, and then in `execute_complete`.
        """
        deadlines = self._begin()
        self._starter = self._make_starter(context)
        self._follow(context, self._starter.obtain_run())
        if self.wait_for_termination:
            self._wait(context, deadlines)
        return self._run

    def _make_starter(self, context: Context) -> RetryStarter:
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
        from airflow_dbt_cloud.operators.run.retry_starter import RetryStarter
        from dbtcloud.client.models import Run

        if or_none(self.run_id) is None:
            raise ValueError("run_id is empty. It has to be the id of the run that failed.")
        answer = self.hook.get_job_run(run_id=self.run_id, account_id=self.account_id)
        with as_airflow_exceptions():
            failed = Run.parse(answer.json()["data"])
        self.job_id = failed.job_id
        return RetryStarter(self, failed, is_first_try=context["ti"].try_number <= 1)

"""The operator that takes a failed run up where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.run.lifecycle import JobRunLifecycle
from airflow_dbt_cloud.operators.run.retry_plan_log import told_plan
from airflow_dbt_cloud.operators.run.start import Started, on_its_way
from airflow_dbt_cloud.tasks import template_values
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.models import Run, RunStatus

if TYPE_CHECKING:
    from airflow.sdk import Context


class DbtCloudRetryJobRunOperator(JobRunLifecycle, BaseOperator):
    """Retry a failed run from its failure and, unless told otherwise, wait for the run that does it.

    dbt Cloud starts a new run of the same job, with the overrides of the run that failed. It executes the
    nodes that failed or were skipped, then the commands that were not reached; the log lists them before.
    XComs: `job_run_url` and `job_run_id` of the new run right after the start; its id (int) is the return
    value.

    A retry of this task goes on with what its earlier tries have started: it waits for a run that goes on,
    takes its success, and retries it in turn if it failed.

    Args:
        run_id: The run that failed; the latest of its job.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        wait_for_termination: Whether to wait for the new run's end.
        timeout: Seconds to wait.
        check_interval: Seconds between two looks.
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

    def _prepare(self, context: Context) -> None:
        if template_values.given(self.run_id) is None:
            raise ValueError("run_id is empty. It has to be the id of the run that failed.")
        answer = self.hook.get_job_run(run_id=self.run_id, account_id=self.account_id)
        run = Run.parse(answer.json()["data"])
        self.job_id = run.job_id
        self._start = Retry(self, run, earlier=context["ti"].try_number > 1)


class Retry:
    """One retry of a run by an operator.

    Args:
        operator: Whose arguments and hook are used.
        run: The run that failed.
        earlier: Whether earlier tries of the task may have retried it.
    """

    def __init__(self, operator: DbtCloudRetryJobRunOperator, run: Run, *, earlier: bool) -> None:
        self.operator, self.hook, self.log = operator, operator.hook, operator.log
        self.run, self.earlier = run, earlier
        self._retrying: int | None = None

    def settle(self) -> Started:
        """The run to go on with: of an earlier try, or a new one.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run.
        """
        last = self._last()
        if last.id == self.run.id or (last.finished and last.status != RunStatus.SUCCESS):
            return self._retried(last)
        how = "succeeded" if last.finished else "goes on"
        self.log.info("Run %s is taken: it retries run %s and %s.", last.id, self.run.id, how)
        return Started(last.data)

    def anew(self) -> Started:
        """A retry of the run as it stands."""
        return self._retried(self._last())

    def begun(self) -> Run | None:
        """The run that was asked for and whose answer has not come; the request may still be on its way."""
        if self._retrying is None:
            return None
        return on_its_way(lambda: [run for run in self._retries() if run.retried_run_id == self._retrying])

    def _retried(self, failed: Run) -> Started:
        plan = told_plan(self.hook, failed.id, self.operator.account_id, self.log)
        self.operator.stop_if_killed()
        self._retrying = failed.id
        try:
            answer = self.hook.retry_job_run(run_id=failed.id, account_id=self.operator.account_id)
        except DbtCloudApiException as error:
            if plan is None or not plan.commands or not isinstance(error.error, NotRetryable):
                raise
            told = f"{error} Start the job anew, or with the commands of the retry plan as steps_override."
            raise DbtCloudApiException(told, error=error.error) from error.error
        return Started(answer.json()["data"])

    def _last(self) -> Run:
        """Where the chain of retries has come to that earlier tries have begun."""
        from dbtcloud.client.run_retry import last_of_chain

        return last_of_chain(self.run, self._retries()) if self.earlier else self.run

    def _retries(self) -> list[Run]:
        """Runs of the job since this one that retry another."""
        from airflow_dbt_cloud.hooks.run_request import SKEW, horizon

        since = self.run.created_at - SKEW if self.run.created_at else horizon()
        account, job = self.operator.account_id, self.run.job_id
        assert job is not None
        return self.hook.find_job_runs(
            job, since, lambda run: run.retried_run_id is not None, account_id=account
        )

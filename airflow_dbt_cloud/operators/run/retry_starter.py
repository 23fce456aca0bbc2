"""Retries a failed run once over all tries of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.run.starter import RunStarter, Started, StartingTask
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.models import RunStatus

if TYPE_CHECKING:
    from dbtcloud.client.models import Run


class RetryStarter(RunStarter):
    """Retries a run from its failure.

    Args:
        task: The operator whose arguments and hook are used.
        failed: The run that failed.
        is_first_try: Whether no earlier try of the task can have retried it.
    """

    def __init__(self, task: StartingTask, failed: Run, *, is_first_try: bool) -> None:
        super().__init__(task)
        self.failed, self._is_first_try = failed, is_first_try

    def obtain_run(self) -> Started:
        """Return the retry that an earlier try started, unless it failed too, or else start one.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run.
        """
        last = self._last_of_chain()
        if last.id == self.failed.id or (last.finished and last.status != RunStatus.SUCCESS):
            return self._retry(last)
        state = "succeeded" if last.finished else "is still running"
        self.log.info("Adopting run %s: it retries run %s, and %s.", last.id, self.failed.id, state)
        return Started(last.data)

    def start_new(self) -> Started:
        """Retry the last run of the chain, whatever its status."""
        return self._retry(self._last_of_chain())

    def _retry(self, failed: Run) -> Started:
        plan = self._log_retry_plan(failed.id)
        self._stop_if_killed()
        try:
            return self._retry_run(failed.id)
        except DbtCloudApiException as error:
            if plan is None or not plan.commands or not isinstance(error.error, NotRetryable):
                raise
            advice = "Run the job again, or with the commands of the retry plan as steps_override."
            raise DbtCloudApiException(f"{error} {advice}", error=error.error) from error.error

    def _last_of_chain(self) -> Run:
        """Return the failed run, or the last retry that earlier tries of the task have made of it."""
        from dbtcloud.client.run_retry import last_of_chain

        return self.failed if self._is_first_try else last_of_chain(self.failed, self._find_runs())

    def _find_runs(self) -> list[Run]:
        """Return the runs of the job since the failed one that retry another."""
        from airflow_dbt_cloud.hooks.verbs.run_request import SKEW, horizon

        since = self.failed.created_at - SKEW if self.failed.created_at else horizon()
        job_id = self.failed.job_id
        assert job_id is not None
        return self.hook.find_job_runs(
            job_id, since, lambda run: run.retried_run_id is not None, account_id=self.account_id
        )

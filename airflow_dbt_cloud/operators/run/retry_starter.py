"""Obtain the run of a task that retries a given run from its failure, once over all tries of the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.run.starters import RunStarter, Started
from dbtcloud.client.errors import AmbiguousStart, NotRetryable
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from dbtcloud.client.run_search import FoundRuns


class RetryStarter(RunStarter):
    """Retries a run from its failure.

    Args:
        task: The operator.
        failed: The run that failed.
        is_first_try: Whether no earlier try of the task can have retried it.
    """

    def __init__(self, task: Any, failed: Run, *, is_first_try: bool) -> None:
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
        return self.failed if self._is_first_try else self.failed.last_retry(self.find_runs())

    def find_runs(self) -> FoundRuns:
        """Return the runs of the job since the failed one that retry another.

        Raises:
            DbtCloudApiException: If it is not clear which runs do.
        """
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions

        with as_airflow_exceptions():
            job_id = self.failed.known_job_id

        def is_retry(run: Run) -> bool | None:
            return run.retried_run_id is not None if "retrying_run_id" in run.data else None

        found = self.hook.find_job_runs(
            job_id, None, is_retry, account_id=self.account_id, after_run=self.failed.id
        )
        if doubts := getattr(found, "doubts", None):
            raise DbtCloudApiException(
                error=AmbiguousStart("", retried_run_id=self.failed.id, why="; ".join(doubts))
            )
        return found

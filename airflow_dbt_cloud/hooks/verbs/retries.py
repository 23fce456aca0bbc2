"""The hook's verbs for taking a failed run up where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dbt_cloud.hooks.connection.base import DbtCloudBaseHook
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    require_account,
)
from airflow_dbt_cloud.hooks.verbs import run_request
from dbtcloud.client import endpoints
from dbtcloud.client.models import Run, RunStatus
from dbtcloud.client.retry import RETRY_ONCE
from dbtcloud.client.run_retry import retry_failed_run, retry_refusal
from dbtcloud.report.retry_plan_reader import read_retry_plan

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from requests import Response

    from dbtcloud.report.retry_plan import RetryPlan


class RetryVerbs(DbtCloudBaseHook):
    """Retries runs, or says what that would do; `account_id` is the connection's Account ID unless given."""

    @fallback_to_default_account
    def retry_job_run(self, run_id: Id, account_id: Id | None = None) -> Response:
        """Start a run that goes on where this one failed, once; it keeps the overrides of this one.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run: its `error` is a `NotRetryable`.
        """
        return self._answer(
            retry_failed_run(require_account(account_id), run_id, since=run_request.horizon())
        )

    @fallback_to_default_account
    def get_job_run_retry_plan(self, run_id: Id, account_id: Id | None = None) -> RetryPlan:
        """What a retry of a run executes: the nodes, and dbt commands that do the same.

        Raises:
            DbtCloudApiException: If the run or its results cannot be read.
            ValueError: If results are not as dbt writes them.
        """
        return self._call(read_retry_plan(require_account(account_id), run_id), decision=RETRY_ONCE)

    @fallback_to_default_account
    def retry_failed_job_run(self, job_id: Id, account_id: Id | None = None) -> Response:
        """Retry the job's last run if it failed; otherwise dbt Cloud starts a new one."""
        return self._answer(endpoints.rerun_job(require_account(account_id), job_id))


def retryable(run: Run, log: Logger) -> int | None:
    """The id of a run if that failed and dbt Cloud can retry it; where it cannot, the log says why."""
    refused = retry_refusal(run)
    if refused is not None and run.status == RunStatus.ERROR:
        log.info("%s A new run is started.", refused)
    return run.id if refused is None else None

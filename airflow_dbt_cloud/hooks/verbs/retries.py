"""The hook's verbs that retry a failed run from its failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    require_account,
)
from airflow_dbt_cloud.hooks.verbs import run_request
from airflow_dbt_cloud.hooks.verbs.runs import RunVerbs
from dbtcloud.client import endpoints
from dbtcloud.client.models import Run, RunStatus
from dbtcloud.client.run_retry import retry_failed_run, retry_refusal

if TYPE_CHECKING:
    from requests import Response


class RetryVerbs(RunVerbs):
    """Retries runs.

    `account_id` is the connection's Account ID unless given.
    """

    @fallback_to_default_account
    def retry_job_run(self, run_id: Id, account_id: Id | None = None) -> Response:
        """Start a run that continues where this one failed, with the same overrides.

        It starts one run, also if a response is lost.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run: its `error` is a `NotRetryable`.
        """
        return self._answer(
            retry_failed_run(require_account(account_id), run_id, since=run_request.horizon())
        )

    @fallback_to_default_account
    def retry_failed_job_run(self, job_id: Id, account_id: Id | None = None) -> Response:
        """Retry the job's last run.

        If that did not fail, dbt Cloud starts a new run.
        """
        return self._answer(endpoints.rerun_job(require_account(account_id), job_id))

    def _retryable_run(self, job_id: Id, account_id: Id | None) -> int | None:
        """Return the id of the job's latest run if it failed and dbt Cloud can retry it, or None.

        A failed run that cannot be retried is logged with the reason.
        """
        query = {"job_definition_id": job_id, "order_by": "-created_at", "limit": 1}
        latest = self.get_job_runs(account_id, payload=query).json()["data"]
        if not latest:
            return None
        run = Run.parse(latest[0])
        refusal = retry_refusal(run)
        if refusal is not None and run.status == RunStatus.ERROR:
            self.log.info("%s A new run is started.", refusal)
        return run.id if refusal is None else None

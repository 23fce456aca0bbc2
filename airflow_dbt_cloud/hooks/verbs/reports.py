"""The hook's verbs that report what failed in a run and what a retry would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    require_account,
)
from airflow_dbt_cloud.hooks.verbs.own_verb import has_read_run, is_replaced
from airflow_dbt_cloud.hooks.verbs.runs import RunVerbs
from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Request
from dbtcloud.client.retry import RETRY_ONCE
from dbtcloud.report.retry_plan import unexecuted_message
from dbtcloud.report.retry_plan_reader import read_node_results, read_retry_plan
from dbtcloud.report.run_report import RunReport
from dbtcloud.report.run_report_reader import build_run_report, read_run_node_tags, read_run_report

if TYPE_CHECKING:
    from dbtcloud.artifacts.run_results import NodeResult
    from dbtcloud.report.retry_plan import RetryPlan


def _retry_if_reached(request: Request, error: DbtCloudError, attempt: int) -> float | None:
    """Return when to ask for a report again: once, but not where nothing listens at dbt Cloud's address."""
    if isinstance(error, TransportError) and not error.sent:
        return None
    return RETRY_ONCE(request, error, attempt)


class ReportVerbs(RunVerbs):
    """Reports on runs.

    `account_id` is the connection's Account ID unless given.
    """

    _failure_report: RunReport | None = None

    def log_job_run_failure_details(
        self, run_id: Id, account_id: Id | None = None, job_run: dict[str, Any] | None = None
    ) -> None:
        """Log how a run ended and what failed in it.

        An error while reading that is logged, never raised.
        """
        try:
            report = self._read_failure(run_id, account_id, job_run)
            self._failure_report = None if job_run else report
            for line in report.log_lines():
                self.log.error(line)
        except Exception as error:  # noqa: BLE001 -- the run's outcome matters more than these details
            self.log.warning("Could not read the details of run %s: %s", run_id, error)

    def _read_failure(
        self, run_id: Id, account_id: Id | None = None, job_run: dict[str, Any] | None = None
    ) -> RunReport:
        if job_run is not None:
            return self._build_report(Run.parse(job_run), account_id)
        if not is_replaced(self.get_job_run):
            return self._read_report(run_id, account_id)
        answer = self.get_job_run(run_id=run_id, account_id=account_id, include_related=["run_steps"])
        run = Run.parse({"id": int(run_id), **answer.json()["data"]})
        return self._build_report(run, account_id) if has_read_run(self, run_id) else RunReport(run, (), ())

    @fallback_to_default_account
    def _build_report(self, run: Run, account_id: Id | None = None) -> RunReport:
        return self._call(build_run_report(require_account(account_id), run), decision=_retry_if_reached)

    @fallback_to_default_account
    def _read_report(self, run_id: Id, account_id: Id | None = None) -> RunReport:
        call = read_run_report(require_account(account_id), run_id)
        report = self._call(call, decision=_retry_if_reached)
        self._read_runs.add(int(run_id))
        return report

    def get_job_run_report(self, run_id: Id, account_id: Id | None = None) -> RunReport:
        """Return the report of a run: the results of its steps and nodes.

        The report that `log_job_run_failure_details` has just read is not read again.
        """
        logged, self._failure_report = self._failure_report, None
        if logged is not None and logged.run.id == int(run_id) and not logged.gaps:
            return logged
        return self._read_report(run_id, account_id)

    @fallback_to_default_account
    def get_job_run_node_tags(
        self, run_id: Id, account_id: Id | None = None, step: int | None = None
    ) -> Mapping[str, frozenset[str]]:
        """Return the tags of the project's nodes by unique id, of a test also those of its node.

        Args:
            run_id: The run, whose manifest.json is read as it arrives.
            account_id: The account.
            step: The step that wrote the manifest; the last if None.

        Raises:
            DbtCloudApiException: If the manifest cannot be read.
            ValueError: If it is not a manifest.
        """
        tags = read_run_node_tags(require_account(account_id), run_id, step)
        return self._call(tags, decision=RETRY_ONCE)

    @fallback_to_default_account
    def get_job_run_retry_plan(self, run_id: Id, account_id: Id | None = None) -> RetryPlan:
        """Return what a retry of a run executes: the nodes, and dbt commands that do the same.

        Raises:
            DbtCloudApiException: If the run or its results cannot be read.
            ValueError: If results are not as dbt writes them.
        """
        return self._call(read_retry_plan(require_account(account_id), run_id), decision=RETRY_ONCE)

    @fallback_to_default_account
    def get_job_run_results(self, run_id: Id, account_id: Id | None = None) -> tuple[NodeResult, ...]:
        """Return the results of all nodes in all steps of a run. A node can be in several steps.

        Raises:
            DbtCloudApiException: If the run or its results cannot be read.
            ValueError: If results are not as dbt writes them.
        """
        return self._call(read_node_results(require_account(account_id), run_id), decision=RETRY_ONCE)

    def check_job_run_retry(self, run_id: Id, plan: RetryPlan, account_id: Id | None = None) -> None:
        """Raise if a run by the commands of a retry plan has not executed all nodes and batches of the plan.

        A selection that matches nothing is no error for dbt, so the run alone does not show it.

        Raises:
            DbtCloudJobRunException: Naming what was not executed.
            DbtCloudApiException: If the run or its results cannot be read.
            ValueError: If results are not as dbt writes them.
        """
        if missing := plan.unexecuted(self.get_job_run_results(run_id, account_id)):
            raise DbtCloudJobRunException(unexecuted_message(run_id, missing))

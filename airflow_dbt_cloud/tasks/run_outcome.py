"""Reports to a task how its run ended: a table in the log, an XCom, and a sentence for the exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dbt_cloud.tasks.template_values import TemplateValue
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.report.run_report import RunReport
    from dbtcloud.report.success_criteria import SuccessCriteria, SuccessDecision

_RUN_REPORT = "dbt_run_report"
"""Key of the XCom with a finished run's report, at most 40 KB."""


class RunOutcome:
    """The outcome of a task's run.

    Args:
        hook: Reads the run's report.
        run_id: The run.
        account_id: Its account, or None for the connection's.
        context: Airflow's context, whose task instance gets the XCom.
        log: The task's log.
        ended: Whether the task's own trigger has seen the run end. Otherwise the hook must have read the run
            from dbt Cloud: replaced verbs may tell of a run that exists in a test only.
    """

    def __init__(
        self,
        hook: DbtCloudHook,
        run_id: int | str,
        account_id: int | str | None,
        *,
        context: Context,
        log: Logger,
        ended: bool = False,
    ) -> None:
        self._hook, self._run_id, self._account_id = hook, run_id, account_id
        self._context, self._log, self._ended = context, log, ended

    def push_report(self) -> RunReport | None:
        """Push the run's report as an XCom, log it for a success, and return it.

        None is returned if there is nothing to read, or it cannot be read. The hook's
        `log_job_run_failure_details` logs a failure's report. A fault on the way is only logged: it must not
        replace the run's own outcome.
        """
        from airflow_dbt_cloud.hooks.verbs.own_verb import has_read_run

        if not self._ended and not has_read_run(self._hook, self._run_id):
            return None
        try:
            report = self._hook.get_job_run_report(run_id=self._run_id, account_id=self._account_id)
            for line in report.log_lines() if report.run.status == RunStatus.SUCCESS else ():
                self._log.info(line)
        except Exception as error:  # noqa: BLE001 -- see above
            self._log.warning("Could not read the report of run %s: %s", self._run_id, error)
            return None
        try:
            self._context["ti"].xcom_push(key=_RUN_REPORT, value=report.to_json())
        except Exception as error:  # noqa: BLE001 -- see above
            self._log.warning("Could not push the report of run %s as an XCom: %s", self._run_id, error)
        return report

    def explain(self, message: str, criteria: SuccessCriteria | None = None) -> str | None:
        """Push the report, and return the message with what failed in the run and where to see it.

        Args:
            message: That the run failed.
            criteria: Decides whether the run counts as a success. Then the message is only logged, and None
                is returned.
        """
        from airflow_dbt_cloud.hooks.verbs.own_verb import url_of_run

        report = self.push_report()
        decision = self._decide(report, criteria) if criteria else None
        failed = report.failure_summary() if report else ""
        url = (report and report.run.href) or url_of_run(self._hook, self._run_id)
        place = f"See {url}." if isinstance(url, str) and url not in message else ""
        parts = (message, decision.reason if decision else "", failed, place)
        explained = " ".join(part for part in parts if part)
        if decision is None or not decision.succeeded:
            return explained
        self._log.warning(explained)
        return None

    def _decide(self, report: RunReport | None, criteria: SuccessCriteria) -> SuccessDecision:
        """Decide whether the run counts as a success, which it does not if that cannot be decided."""
        from dbtcloud.report.success_criteria import SuccessDecision

        if report is None:
            return SuccessDecision.impossible("there is no report of the run")
        try:
            return criteria.decide(report, lambda: self._read_tags(report))
        except Exception as error:  # noqa: BLE001 -- it must not replace the run's own outcome
            return SuccessDecision.impossible(f"the tags cannot be read. {error}")

    def _read_tags(self, report: RunReport) -> Mapping[str, frozenset[str]]:
        """Return the tags of the project's nodes, from the manifest of the step that failed."""
        step = report.failed_steps[-1].index if report.failed_steps else None
        return self._hook.get_job_run_node_tags(run_id=self._run_id, account_id=self._account_id, step=step)


def parse_success_criteria(fail_on: object, ignore: object) -> SuccessCriteria | None:
    """Return the criteria that a task has as arguments, or None if it has none.

    Raises:
        ValueError: If an argument cannot be used.
    """
    wanted = 'a list of names, unique ids and tags of nodes such as ["orders", "tag:nightly"]'
    given = {"fail_on": fail_on, "ignore": ignore}
    parsed = {name: TemplateValue(name, value).texts(wanted) or () for name, value in given.items()}
    if not any(parsed.values()):
        return None
    from dbtcloud.report.success_criteria import SuccessCriteria

    return SuccessCriteria(**parsed)

"""Reports to a task how its run ended: a table in the log, an XCom, and a sentence for the exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbtcloud.client.models import RunStatus

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.report.run_report import RunReport

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

    def explain(self, message: str) -> str:
        """Push the report, and return the message with what failed in the run and where to see it."""
        from airflow_dbt_cloud.hooks.verbs.own_verb import url_of_run

        report = self.push_report()
        failed = report.failure_summary() if report else ""
        url = (report and report.run.href) or url_of_run(self._hook, self._run_id)
        place = f"See {url}." if isinstance(url, str) and url not in message else ""
        return " ".join(part for part in (message, failed, place) if part)

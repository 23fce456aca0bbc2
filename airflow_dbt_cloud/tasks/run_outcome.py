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


def push_run_report(
    hook: DbtCloudHook, run_id: int | str, account_id: int | str | None, context: Context, log: Logger
) -> RunReport | None:
    """Push the run's report as an XCom, log it for a success, and return it.

    None is returned if it cannot be read. The hook's `log_job_run_failure_details` logs a failure's report. A
    fault on the way is only logged: it must not replace the run's own outcome.
    """
    from dbtcloud.report.formats import report_log_lines, to_json

    try:
        report = hook.get_job_run_report(run_id=run_id, account_id=account_id)
        for line in report_log_lines(report) if report.run.status == RunStatus.SUCCESS else ():
            log.info(line)
    except Exception as error:  # noqa: BLE001 -- see above
        log.warning("Could not read the report of run %s: %s", run_id, error)
        return None
    try:
        context["ti"].xcom_push(key=_RUN_REPORT, value=to_json(report))
    except Exception as error:  # noqa: BLE001 -- see above
        log.warning("Could not push the report of run %s as an XCom: %s", run_id, error)
    return report


def explained(
    message: str,
    hook: DbtCloudHook,
    run_id: int | str,
    account_id: int | str | None,
    *,
    context: Context,
    log: Logger,
) -> str:
    """Push the run's report, and return the message with what failed in the run and where to see it."""
    from dbtcloud.report.formats import failure_summary

    report = push_run_report(hook, run_id, account_id, context, log)
    failed = failure_summary(report) if report else ""
    url = (report and report.run.href) or hook.run_url(run_id)
    place = f"See {url}." if isinstance(url, str) and url not in message else ""
    return " ".join(part for part in (message, failed, place) if part)

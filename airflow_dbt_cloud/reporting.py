"""Tells a task what became of its run: a table in the log, an XCom, and a sentence for the exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

RUN_REPORT = "dbt_run_report"
"""Key of the XCom with a finished run's report, of 40 KB at the most."""


def report_run(
    hook: DbtCloudHook, run_id: int | str, account_id: int | str | None, context: Context, log: Logger
) -> str:
    """Log the run's report, push it as an XCom, and return what failed in a sentence, or "".

    A fault on the way is logged and goes no further: it must not stand in for the run's own outcome.
    """
    from airflow_dbt_cloud.report.rendering import lines, summary, to_json

    try:
        report = hook.get_job_run_report(run_id=run_id, account_id=account_id)
        tell = log.error if report.failed or report.failed_steps else log.info
        for line in lines(report):
            tell(line)
        context["ti"].xcom_push(key=RUN_REPORT, value=to_json(report))
        return summary(report)
    except Exception as error:  # noqa: BLE001 -- see above
        log.warning("The report of run %s cannot be made: %s", run_id, error)
        return ""

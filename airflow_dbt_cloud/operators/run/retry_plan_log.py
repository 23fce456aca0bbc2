"""Tells a task's log what a retry of a run is going to execute."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.report.retry_plan import RetryPlan


def told_plan(
    hook: DbtCloudHook, run_id: int | str, account_id: int | str | None, log: Logger
) -> RetryPlan | None:
    """The retry plan of a run, logged; None where it cannot be made, which keeps nobody from a retry."""
    from dbtcloud.report.retry_plan import plan_log_lines

    try:
        plan = hook.get_job_run_retry_plan(run_id=run_id, account_id=account_id)
        for line in plan_log_lines(plan):
            log.info(line)
    except Exception as error:  # noqa: BLE001 -- see above
        log.warning("What a retry of run %s is going to execute cannot be told: %s", run_id, error)
        return None
    return plan

"""Links on task pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

JOB_RUN_URL = "job_run_url"
"""Key of the XCom with the run's page."""


class DbtCloudRunJobOperatorLink(BaseOperatorLink):
    """A link from a task to its run in dbt Cloud."""

    name = "Monitor Job Run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 -- Airflow's
        """Return the address of the run's page, or "" before the run has started."""
        return str(XCom.get_value(key=JOB_RUN_URL, ti_key=ti_key) or "")


def push_run_url(ti: Any, url: str | None) -> None:
    """Push the run's page as the XCom that users read, and as the one that Airflow's web page reads.

    Airflow pushes the second one itself only when the task ends, and then also if no run was started.
    """
    ti.xcom_push(key=JOB_RUN_URL, value=url)
    ti.xcom_push(key=DbtCloudRunJobOperatorLink().xcom_key, value=url)

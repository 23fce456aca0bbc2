"""Operators that run dbt Cloud jobs; the others of this package are offered here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import DBT_CAUSE_MAX_LENGTH, DbtCloudJobRunStatus, JobRunInfo
from airflow_dbt_cloud.links import DbtCloudRunJobOperatorLink
from airflow_dbt_cloud.operators.artifacts import DbtCloudGetJobRunArtifactOperator
from airflow_dbt_cloud.operators.cancel import DbtCloudCancelJobRunOperator
from airflow_dbt_cloud.operators.job_arguments import JobArguments
from airflow_dbt_cloud.operators.lists import DbtCloudListJobRunsOperator, DbtCloudListJobsOperator
from airflow_dbt_cloud.operators.retry import DbtCloudRetryJobRunOperator
from airflow_dbt_cloud.operators.run.lifecycle import JobRunLifecycle
from airflow_dbt_cloud.operators.run.start import Start, reason_for
from airflow_dbt_cloud.tasks import template_values

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = [
    "DBT_CAUSE_MAX_LENGTH",
    "DbtCloudCancelJobRunOperator",
    "DbtCloudGetJobRunArtifactOperator",
    "DbtCloudJobRunException",
    "DbtCloudJobRunStatus",
    "DbtCloudListJobRunsOperator",
    "DbtCloudListJobsOperator",
    "DbtCloudRetryJobRunOperator",
    "DbtCloudRunJobOperator",
    "DbtCloudRunJobOperatorLink",
    "JobRunInfo",
]


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudRunJobOperator(JobRunLifecycle, JobArguments):
    """Run a dbt Cloud job and, unless told otherwise, wait for it.

    Every argument of the API is a templated argument here. XComs: `job_run_url` and `job_run_id` right after
    the start; the run's id (int) is the return value.

    The arguments are those of `JobArguments`.

    Raises:
        DbtCloudJobRunException: If the run fails, is cancelled, or does not end in time.
        DbtCloudResourceLookupError: If the names lead to no job or to several.
        DbtCloudApiException: If dbt Cloud refuses a request or cannot be reached.
        ValueError: If an argument cannot be used.
    """

    @property
    def run_id(self) -> int | None:
        """The run, once there is one."""
        return self.job_run_id

    @run_id.setter
    def run_id(self, run_id: int | None) -> None:
        self.job_run_id = run_id

    @property
    def is_extended(self) -> bool:
        """Whether a subclass does more after a run than this class."""
        return (
            type(self).execute is not DbtCloudRunJobOperator.execute
            or type(self).execute_complete is not DbtCloudRunJobOperator.execute_complete
        )

    def _prepare(self, context: Context) -> None:
        """Work out what is to be started; whatever is wrong with an argument shows here."""
        job_id = self.job_id = self._find_job()
        overrides = {
            **template_values.overrides(self),
            **template_values.run_config(self.additional_run_config),
        }
        self._start = Start(self, context, job_id, overrides, reason_for(self, context))

    def _find_job(self) -> int | str:
        """The job's id, from the argument or from the names; what a template left empty is not given."""
        if job := template_values.given(self.job_id):
            from dbtcloud.client.protocol import identifier

            identifier(job, "job_id")
            return job
        wanted = ("project_name", "environment_name", "job_name")
        names = {name: template_values.text(name, getattr(self, name)) or "" for name in wanted}
        if missing := [name for name, value in names.items() if not value]:
            raise ValueError(
                "Either job_id or project_name, environment_name, and job_name must be provided. "
                f"There is no job_id and no {' and no '.join(missing)}."
            )
        found: int = self.hook.get_job_by_name(account_id=self.account_id, **names)["id"]
        return found

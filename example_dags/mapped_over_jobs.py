"""Run several jobs at the same time, one mapped task each. The list could come from another task."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

with DAG("mapped_over_jobs", schedule=None, tags=["dbt"]):
    DbtCloudRunJobOperator.partial(task_id="build", deferrable=True, check_interval=2, timeout=600).expand(
        job_id=[1, 6]
    )

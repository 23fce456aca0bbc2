"""Run a dbt Cloud job and wait for it on the worker."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

with DAG("run_and_wait", schedule=None, tags=["dbt"]):
    DbtCloudRunJobOperator(task_id="build", job_id=1, check_interval=2, timeout=600)

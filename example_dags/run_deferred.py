"""Run a dbt Cloud job and wait for it in the triggerer, which takes no worker slot."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

with DAG("run_deferred", schedule=None, tags=["dbt"]):
    DbtCloudRunJobOperator(task_id="build", job_id=1, deferrable=True, check_interval=2, timeout=600)

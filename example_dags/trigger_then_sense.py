"""Start a run in one task and wait for it in another, so that other tasks can run in between."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor

with DAG("trigger_then_sense", schedule=None, tags=["dbt"]):
    start = DbtCloudRunJobOperator(task_id="start", job_id=1, wait_for_termination=False)
    DbtCloudJobRunSensor(task_id="finished", run_id=start.output, deferrable=True, timeout=600)

"""DAGs that run the job of the run's `conf`: one waits on the worker, one in the triggerer, one senses."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor

for dag_id, deferrable in (("run_job", False), ("run_job_deferred", True)):
    with DAG(dag_id, schedule=None):
        DbtCloudRunJobOperator(
            task_id="build",
            job_id="{{ dag_run.conf['job_id'] }}",
            deferrable=deferrable,
            check_interval=1,
            timeout=300,
        )

with DAG("start_then_sense", schedule=None):
    start = DbtCloudRunJobOperator(
        task_id="start", job_id="{{ dag_run.conf['job_id'] }}", wait_for_termination=False
    )
    sense = DbtCloudJobRunSensor(task_id="build", run_id="{{ ti.xcom_pull('start') }}", deferrable=True)
    start >> sense

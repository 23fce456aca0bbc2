"""Two DAGs that run the job named by the run's `conf`: one waits on the worker, one in the triggerer."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

for dag_id, deferrable in (("run_job", False), ("run_job_deferred", True)):
    with DAG(dag_id, schedule=None):
        DbtCloudRunJobOperator(
            task_id="build",
            job_id="{{ dag_run.conf['job_id'] }}",
            deferrable=deferrable,
            check_interval=1,
            timeout=300,
        )

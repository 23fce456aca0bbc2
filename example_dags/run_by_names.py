"""Run a job by the names of its project, its environment and itself, in a schema of its own."""

from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

with DAG("run_by_names", schedule=None, tags=["dbt"]):
    DbtCloudRunJobOperator(
        task_id="build",
        project_name="Sample bakery",
        environment_name="Production",
        job_name="Daily build",
        schema_override="trial_{{ ds_nodash | default('manual') }}",
        threads_override=2,
        check_interval=2,
        timeout=600,
    )

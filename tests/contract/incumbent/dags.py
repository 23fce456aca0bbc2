"""What users of apache-airflow-providers-dbt-cloud write; nothing here knows what the server is."""

import asyncio
import time

from airflow.providers.dbt.cloud.hooks.dbt import DbtCloudHook, DbtCloudJobRunStatus
from airflow.providers.dbt.cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudListJobRunsOperator,
    DbtCloudListJobsOperator,
    DbtCloudRunJobOperator,
)
from airflow.providers.dbt.cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow.providers.dbt.cloud.triggers.dbt import DbtCloudRunJobTrigger
from airflow.sdk import DAG, task

DAILY, FLAKY, FAILING = 1, 3, 4
SHORT, ENDLESS, DOOMED = 70, 71, 72

with DAG("waits_on_the_worker", schedule=None) as waits_on_the_worker:
    run = DbtCloudRunJobOperator(
        task_id="run", job_id=DAILY, check_interval=1, schema_override="trial", trigger_reason="By contract"
    )
    DbtCloudGetJobRunArtifactOperator(
        task_id="fetch", run_id=run.output, path="manifest.json", output_file_name="manifest.json"
    )

with DAG("waits_deferred_by_names", schedule=None) as waits_deferred_by_names:
    DbtCloudRunJobOperator(
        task_id="run",
        project_name="Sample bakery",
        environment_name="Staging",
        job_name="Staging build",
        deferrable=True,
        check_interval=1,
    )

with DAG("fails", schedule=None) as fails:
    DbtCloudRunJobOperator(task_id="on_the_worker", job_id=FAILING, check_interval=1)
    DbtCloudRunJobOperator(task_id="deferred", job_id=DOOMED, check_interval=1, deferrable=True)

with DAG("retries", schedule=None) as retries:

    @task(trigger_rule="all_failed")
    def second():
        hook = DbtCloudHook()
        run_id = hook.trigger_job_run(FLAKY, cause="Again", retry_from_failure=True).json()["data"]["id"]
        return hook.wait_for_job_run_status(run_id, check_interval=1, timeout=60)

    DbtCloudRunJobOperator(task_id="first", job_id=FLAKY, check_interval=1) >> second()

with DAG("senses", schedule=None) as senses:
    start = DbtCloudRunJobOperator(task_id="start", job_id=SHORT, wait_for_termination=False)
    DbtCloudJobRunSensor(task_id="poking", run_id=start.output, poke_interval=1)
    DbtCloudJobRunSensor(task_id="deferred", run_id=start.output, deferrable=True, poke_interval=1)

with DAG("triggers_alone", schedule=None) as triggers_alone:

    @task
    def events():
        hook = DbtCloudHook()

        async def event(job_id, deadline=None):
            run_id = hook.trigger_job_run(job_id, cause="For its event").json()["data"]["id"]
            trigger = DbtCloudRunJobTrigger(
                conn_id="dbt_cloud_default",
                run_id=run_id,
                end_time=time.time() + 60,
                poll_interval=0.5,
                account_id=None,
                execution_deadline=deadline,
            )
            return (await anext(aiter(trigger.run()))).payload

        return {
            "success": asyncio.run(event(SHORT)),
            "error": asyncio.run(event(DOOMED)),
            "timeout": asyncio.run(event(ENDLESS, deadline=time.time() + 1)),
        }

    events()

with DAG("cancels", schedule=None) as cancels:

    @task
    def cancelled():
        hook = DbtCloudHook()
        run_id = hook.trigger_job_run(ENDLESS, cause="To be cancelled").json()["data"]["id"]
        hook.cancel_job_run(run_id)
        hook.wait_for_job_run_status(
            run_id, expected_statuses=DbtCloudJobRunStatus.CANCELLED.value, check_interval=1, timeout=20
        )
        return hook.get_job_run_status(run_id)

    cancelled()

with DAG("lists", schedule=None) as lists:
    DbtCloudListJobsOperator(task_id="jobs", order_by="-id")
    DbtCloudListJobRunsOperator(task_id="all_runs", order_by="id", include_related=["trigger"])
    DbtCloudListJobRunsOperator(task_id="latest", job_id=SHORT, latest_only=True)

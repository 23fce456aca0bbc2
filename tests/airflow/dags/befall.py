"""DAGs whose tasks are killed, cleared, moved and timed out; the run's `conf` names the job."""

import os
import signal
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

ARGUMENTS = {"task_id": "build", "job_id": "{{ dag_run.conf['job_id'] }}", "check_interval": 1}
RETRIES = {"retries": 1, "retry_delay": timedelta(seconds=1)}
SECONDS = 15


class CrashesOnce(DbtCloudRunJobOperator):
    """Is killed as a process can be, in its first try, between the start of the run and the wait for it."""

    def _wait(self, context: Any, *arguments: Any) -> None:
        if context["ti"].try_number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        super()._wait(context, *arguments)


with DAG("on_worker", schedule=None):
    DbtCloudRunJobOperator(**ARGUMENTS, **RETRIES, deferrable=False)

with DAG("on_worker_with_a_late_retry", schedule=None):
    DbtCloudRunJobOperator(**ARGUMENTS, retries=1, retry_delay=timedelta(hours=1), deferrable=False)

with DAG("in_triggerer", schedule=None):
    DbtCloudRunJobOperator(**ARGUMENTS, **RETRIES, deferrable=True)

with DAG("on_worker_after_a_crash", schedule=None):
    CrashesOnce(**ARGUMENTS, **RETRIES, deferrable=False)

with DAG("in_triggerer_after_a_crash", schedule=None):
    CrashesOnce(**ARGUMENTS, **RETRIES, deferrable=True)

with DAG("out_of_execution_time", schedule=None):
    DbtCloudRunJobOperator(**ARGUMENTS, deferrable=True, execution_timeout=timedelta(seconds=SECONDS))

with DAG("out_of_time", schedule=None):
    DbtCloudRunJobOperator(**ARGUMENTS, deferrable=True, timeout=SECONDS)

with DAG("many", schedule=None):

    @task
    def reasons(**context):
        return [f"Reason {number}" for number in range(context["dag_run"].conf["count"])]

    DbtCloudRunJobOperator.partial(**ARGUMENTS, deferrable=True).expand(trigger_reason=reasons())

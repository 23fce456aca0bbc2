"""What operator and sensor send to the triggerer."""

import time
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow_dbt_cloud.tasks.deferral import FIRST_POLL_DELAY

DAY = 86_400


@pytest.fixture
def deferred(run_dag, jobs):
    """Runs a task up to its deferral; gives the arguments of the trigger, and those of the deferral."""

    def run(kind, **arguments):
        handed_over = []

        class Deferring(kind):
            def defer(self, *, trigger, **kwargs):
                handed_over.append((trigger.serialize()[1], kwargs))
                raise AirflowSkipException("Far enough.")

        with DAG("defers", schedule=None) as dag:
            Deferring(task_id="task", deferrable=True, **arguments)
        assert run_dag(dag).states == {"task": "skipped"}
        return handed_over[0]

    return run


def test_the_operators_trigger_has_the_run_and_its_deadlines(deferred, jobs):
    began = time.time()
    trigger, deferral = deferred(
        DbtCloudRunJobOperator,
        job_id=str(jobs.endless),
        account_id="{{ 1 }}",
        check_interval=7,
        timeout=2 * DAY,
        execution_timeout=timedelta(days=1),
        hook_params={"retry_limit": 3},
    )
    assert trigger["run_id"] == jobs.runs()[0]["id"]
    assert (trigger["conn_id"], trigger["account_id"]) == ("dbt_cloud_default", "1")
    assert (trigger["poll_interval"], trigger["hook_params"]) == (7, {"retry_limit": 3})
    assert began <= trigger["end_time"] - 2 * DAY <= time.time()
    assert began <= trigger["execution_deadline"] - DAY <= time.time()
    assert deferral["method_name"] == "execute_complete"


def test_the_sensors_trigger_has_the_run_and_its_deadline(deferred, jobs):
    began, run_id = time.time(), jobs.started(jobs.endless)
    trigger, deferral = deferred(DbtCloudJobRunSensor, run_id=str(run_id), timeout=2 * DAY)
    assert (trigger["run_id"], trigger["poll_interval"]) == (run_id, 5)
    assert began <= trigger["end_time"] - 2 * DAY <= time.time()
    assert deferral["method_name"] == "execute_complete"


@pytest.mark.parametrize("kind", [DbtCloudRunJobOperator, DbtCloudJobRunSensor])
def test_the_first_poll_leaves_the_scheduler_time_to_store_the_deferral(deferred, jobs, kind):
    of = {"run_id": jobs.started(jobs.endless)} if kind is DbtCloudJobRunSensor else {"job_id": jobs.endless}
    began = time.time()
    trigger, _ = deferred(kind, **of)
    assert began <= trigger["not_before"] - FIRST_POLL_DELAY <= time.time()
    assert FIRST_POLL_DELAY >= 6


def test_a_run_that_has_ended_by_the_first_poll_needs_no_triggerer(run_dag, jobs):
    class NeverDefers(DbtCloudRunJobOperator):
        def defer(self, **kwargs):
            raise AssertionError(kwargs)

    with DAG("never_defers", schedule=None) as dag:
        NeverDefers(task_id="task", job_id=jobs.instant, deferrable=True)
    assert run_dag(dag).state == "success"

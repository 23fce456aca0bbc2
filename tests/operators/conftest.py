"""The run operator alone in a DAG."""

import threading

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run.lifecycle import JobRunLifecycle


def _nightly(operator=DbtCloudRunJobOperator, native=False, **arguments):
    with DAG("nightly", schedule=None, render_template_as_native_obj=native) as dag:
        paced = {"check_interval": 0.1} if issubclass(operator, JobRunLifecycle) else {}
        operator(task_id="build", **{**paced, **arguments})
    return dag


@pytest.fixture
def build(run_dag, jobs, prompt_triggers):
    """Runs the operator by the name of `build` in the DAG `nightly`; the rest goes to the operator."""
    return lambda *operator, **arguments: run_dag(_nightly(*operator, **arguments))


@pytest.fixture
def build_alone(run_task, jobs, prompt_triggers):
    """Runs the operator as `build` does, by Airflow's task runner alone, for tests that need no scheduler."""
    return lambda *operator, **arguments: run_task(_nightly(*operator, **arguments))


@pytest.fixture(autouse=True)
def _no_cancel_left():
    """Wait for the cancel of a killed task, which would end with its process, before the next test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "cancel dbt Cloud run":
            thread.join(30)

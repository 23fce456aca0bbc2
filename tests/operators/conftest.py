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


@pytest.fixture
def memory_store(monkeypatch):
    """An object store that Airflow reaches by URLs that begin with `memory://`; what it holds, by name."""
    from airflow.sdk.io import store
    from fsspec.implementations.memory import MemoryFileSystem

    fs = MemoryFileSystem()
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    monkeypatch.setattr(store, "_STORE_CACHE", {})
    for conn_id in (None, "lake"):
        store.attach("memory", conn_id=conn_id, fs=fs)
    return fs.store

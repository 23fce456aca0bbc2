"""The OpenLineage parent of a task in the cause of the run that it starts."""

import json
import sys

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator


@pytest.fixture
def cause_of(run_dag, jobs):
    """Runs a DAG of one task with the parent injected; returns the cause in dbt Cloud and the log."""

    def run(dag_id, **arguments):
        with DAG(dag_id, schedule=None) as dag:
            DbtCloudRunJobOperator(
                task_id="build", job_id=jobs.instant, openlineage_inject_parent_job_info=True, **arguments
            )
        outcome = run_dag(dag)
        assert outcome.state == "success"
        (trigger,) = jobs.triggers()
        return trigger["cause"], outcome.log

    return run


@pytest.fixture
def macros():
    return pytest.importorskip("airflow.providers.openlineage.plugins.macros")


def test_the_cause_names_the_task_as_the_runs_parent(cause_of, macros):
    cause, _ = cause_of("nightly")
    parent = json.loads(cause)["parent"]
    assert parent["job"] == {"namespace": macros.lineage_job_namespace(), "name": "nightly.build"}
    assert len(parent["run"]["runId"]) == 36
    assert len(cause) <= 255


def test_a_parent_that_does_not_fit_leaves_the_plain_cause_with_a_warning(cause_of, macros):
    cause, log = cause_of("n" * 200)
    assert cause.startswith("Triggered via Apache Airflow by task 'build' in the nnn")
    assert "The run's cause has no OpenLineage parent: it is longer than" in log


def test_without_the_openlineage_provider_the_plain_cause_is_sent_and_the_log_says_what_to_install(
    cause_of, monkeypatch
):
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.plugins", None)
    cause, log = cause_of("without", trigger_reason="For the morning report")
    assert cause.startswith("For the morning report")
    assert "Install the extra 'openlineage' of airflow-dbt-cloud." in log

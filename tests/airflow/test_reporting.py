"""A really failing dbt build is told alike by the operator on a worker, the deferred one and the sensor."""

import pytest

from real_airflow import Outcome, RealAirflow

FAILING_BUILD = 4
DAGS = ("run_job", "run_job_deferred", "start_then_sense")


@pytest.fixture(scope="module")
def ended(airflow: RealAirflow) -> dict[str, Outcome]:
    """Start all at once: dbt runs them one after another, as a queue does."""
    started = {dag_id: airflow.trigger(dag_id, {"job_id": FAILING_BUILD}) for dag_id in DAGS}
    return {dag_id: airflow.wait(run, timeout=240) for dag_id, run in started.items()}


@pytest.mark.dbt
@pytest.mark.parametrize("dag_id", DAGS)
def test_log_exception_and_xcom_name_the_nodes_the_databases_words_the_code_and_the_run(ended, dag_id):
    outcome = ended[dag_id]
    log, report = outcome.log("build"), outcome.xcom("build", "dbt_run_report")
    assert outcome.states["build"] == "failed", outcome.story()
    status = {node["unique_id"].split(".")[2]: node["status"] for node in report["nodes"]}
    assert {name: status[name] for name in ("burnt_batches", "burnt_losses", "no_sale_on_a_sunday")} == {
        "burnt_batches": "error",
        "burnt_losses": "skipped",
        "no_sale_on_a_sunday": "fail",
    }
    raised = log[log.index(f"Job run {report['run_id']} has failed.") :]
    for words in ("model burnt_batches", "Could not convert string", report["url"], "/burnt_batches.sql"):
        assert words in raised, log

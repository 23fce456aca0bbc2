"""Each example DAG runs to success as `dag.test()` runs it; real schedulers run them in tests/airflow."""

from pathlib import Path

import pytest

from inline_airflow import dags_in

EXAMPLES = sorted(Path(__file__).parents[2].joinpath("example_dags").glob("*.py"))
MANIFEST = {"manifest.json": {"nodes": {"model.shop.orders": {"resource_type": "model"}}}}


def dag_in(path):
    (dag,) = dags_in(path).values()
    return dag


@pytest.fixture
def simulated(dbt_cloud, prompt_triggers):
    """The jobs that the examples name, with runs that only pretend to run dbt."""
    script = {"running": 0.3, "artifacts": MANIFEST}
    jobs = [
        {"id": 1, "name": "Daily build", "pretend": script},
        {"id": 6, "name": "Staging build", "environment_id": 2, "pretend": script},
    ]
    dbt_cloud.control.seed(jobs=jobs)
    return dbt_cloud


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_succeeds(run_dag, simulated, path):
    outcome = run_dag(dag_in(path))
    assert outcome.state == "success"
    assert set(outcome.states.values()) == {"success"}


@pytest.mark.dbt
def test_the_example_of_fetching_an_artifact_reads_what_real_dbt_wrote(run_dag, dbt_cloud):
    (path,) = [each for each in EXAMPLES if each.stem == "fetch_artifact"]
    outcome = run_dag(dag_in(path))
    assert outcome.state == "success"
    assert outcome.xcoms("count_models")["return_value"] > 5

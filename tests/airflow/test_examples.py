"""The example DAGs, by a real scheduler and triggerer, on real dbt."""

from importlib import resources

import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.local.server.in_thread import LocalDbtCloud
from real_airflow import Outcome, RealAirflow
from waiting import until

# Which task of each example starts a run, and which one waits for it in the triggerer.
EXAMPLES = {
    "run_and_wait": ("build", None),
    "run_deferred": ("build", "build"),
    "run_by_names": ("build", None),
    "trigger_then_sense": ("start", "finished"),
    "fetch_artifact": ("build", None),
    "mapped_over_jobs": ("build", "build"),
}


SENSES = "trigger_then_sense"
"""Its run comes last in dbt Cloud's queue, so that there is something to wait for when the sensor begins."""


@pytest.fixture(scope="module")
def started(airflow: RealAirflow, cloud: LocalDbtCloud):
    """Start every example, one right after the other: dbt runs them one after another, as a queue does."""
    before = len(runs_of(cloud))
    others = {dag_id: airflow.trigger(dag_id) for dag_id in EXAMPLES if dag_id != SENSES}
    until(
        lambda: len(runs_of(cloud)) - before >= len(others),
        timeout=180,
        what=lambda: f"a dbt run of each of {sorted(others)}",
    )
    return {**others, SENSES: airflow.trigger(SENSES)}


@pytest.fixture(scope="module")
def ended(airflow: RealAirflow, started) -> dict[str, Outcome]:
    """Wait for all of them."""
    return {dag_id: airflow.wait(run, timeout=240) for dag_id, run in started.items()}


def runs_of(cloud: LocalDbtCloud) -> dict[int, int]:
    """The status of each dbt run."""
    with SyncClient(Credentials(base_url=cloud.url, token=cloud.token)) as client:
        return {run.id: run.status for run in client.ask(endpoints.list_runs(cloud.account_id))}


@pytest.mark.dbt
@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_an_example_succeeds_and_so_does_its_dbt_run(ended, cloud, dag_id):
    outcome, starter = ended[dag_id], EXAMPLES[dag_id][0]
    assert outcome.state == "success", outcome.story()
    runs = [outcome.xcom(starter, "job_run_id", one.map_index) for one in outcome.of(starter)]
    assert {runs_of(cloud)[run_id] for run_id in runs} == {RunStatus.SUCCESS}


@pytest.mark.dbt
@pytest.mark.parametrize("dag_id", [dag_id for dag_id, (_, waiter) in EXAMPLES.items() if waiter])
def test_a_deferred_example_really_waits_in_the_triggerer(ended, dag_id):
    outcome, waiter = ended[dag_id], EXAMPLES[dag_id][1]
    assert outcome.deferred(waiter), outcome.story()


@pytest.mark.dbt
def test_the_fetched_artifact_is_the_one_that_dbt_wrote(ended):
    models = resources.files("dbtcloud.local").joinpath("sample/models")
    # Without its variable, dbt leaves the models that rehearse failures out of the manifest.
    texts = [path.read_text() for path in models.rglob("*.sql")]
    enabled = [text for text in texts if "enabled=var('rehearsal')" not in text]
    assert ended["fetch_artifact"].xcom("count_models") == len(enabled)


@pytest.mark.dbt
def test_the_log_of_a_deferred_task_tells_where_the_run_is_and_how_it_goes(ended):
    outcome = ended["run_deferred"]
    log = outcome.log("build")
    assert outcome.xcom("build", "job_run_url") in log
    assert f"dbt Cloud run {outcome.xcom('build')}" in log
    assert outcome.links("build")["Monitor Job Run"] == outcome.xcom("build", "job_run_url")

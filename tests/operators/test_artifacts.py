"""The artifact operator: bytes as they came, under the names that other tasks expect."""

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudGetJobRunArtifactOperator

ARTIFACTS = {
    "manifest.json": '{"nodes":   {},\n "né": 1.10}\n',
    "compiled/shop/models/orders.sql": "select 'ä'\r\n",
    "steps/2/run_results.json": '{"step": 2}',
    "run_results.json": '{"step": 3}',
}


@pytest.fixture
def run_id(jobs):
    jobs.control.seed(jobs=[{"id": 60, "name": "Artful", "pretend": {"artifacts": ARTIFACTS}}])
    return jobs.started(60)


@pytest.fixture
def fetch(run_dag, run_id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(path, **arguments):
        with DAG("fetches", schedule=None) as dag:
            DbtCloudGetJobRunArtifactOperator(
                task_id="fetch", **{"run_id": f"{{{{ {run_id} }}}}", "path": path, **arguments}
            )
        return run_dag(dag)

    return run


@pytest.mark.parametrize("path", ["manifest.json", "compiled/shop/models/orders.sql"])
def test_the_bytes_are_written_as_they_came_under_the_runs_id_and_the_path(fetch, run_id, tmp_path, path):
    outcome = fetch(path)
    name = f"{run_id}_{path.replace('/', '-')}"
    assert outcome.xcoms("fetch")["return_value"] == name
    assert (tmp_path / name).read_bytes() == ARTIFACTS[path].encode()


def test_a_name_may_lead_into_folders_that_do_not_exist_yet(fetch, tmp_path):
    outcome = fetch("manifest.json", output_file_name="artifacts/{{ dag.dag_id }}/manifest.json")
    assert outcome.xcoms("fetch")["return_value"] == "artifacts/fetches/manifest.json"
    assert (tmp_path / "artifacts/fetches/manifest.json").is_file()


def test_a_steps_own_artifact_can_be_asked_for(fetch, run_id, tmp_path):
    fetch("run_results.json", step=2)
    assert (tmp_path / f"{run_id}_run_results.json").read_text() == '{"step": 2}'


def test_a_missing_artifact_leaves_no_file_and_says_what_is_missing(fetch, tmp_path):
    outcome = fetch("catalog.json")
    assert outcome.state == "failed"
    assert "dbt Cloud answered 404" in outcome.log
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../../jobs/", "a/%2e%2e/b", "/manifest.json", ""])
def test_a_path_that_leaves_its_place_is_refused_before_anything_is_asked(fetch, jobs, path):
    outcome = fetch(path)
    assert outcome.state == "failed"
    assert f"{path!r} is not a valid artifact path" in outcome.log
    assert jobs.asked("GET", "artifacts") == []


def test_a_fault_leaves_the_file_that_was_there(fetch, jobs, run_id, tmp_path):
    good = tmp_path / f"{run_id}_manifest.json"
    good.write_text("good")
    jobs.control.add_fault("cut", route="*/artifacts/*")
    outcome = fetch("manifest.json", hook_params={"retry_delay": 0.01})
    assert outcome.state == "failed"
    assert good.read_text() == "good"


def test_the_name_can_be_read_when_the_dag_is_parsed():
    fetch = DbtCloudGetJobRunArtifactOperator(
        task_id="fetch", run_id="{{ ti.xcom_pull('run') }}", path="a/b.json"
    )
    assert fetch.output_file_name == "{{ ti.xcom_pull('run') }}_a-b.json"


def test_the_name_is_rendered_for_others_who_hold_the_operator(run_dag, run_id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with DAG("names", schedule=None) as dag:
        fetch = DbtCloudGetJobRunArtifactOperator.partial(task_id="fetch", run_id=run_id)
        fetch.expand(path=["manifest.json", "run_results.json"])
    names = run_dag(dag).xcoms("fetch")["return_value"]
    assert names == [f"{run_id}_manifest.json", f"{run_id}_run_results.json"]
    assert all((tmp_path / name).is_file() for name in names)

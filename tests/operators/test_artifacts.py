"""The artifact operator writes bytes unchanged, under the names that other tasks expect."""

import resource

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.dbt import DbtCloudGetJobRunArtifactOperator
from folders import files

ARTIFACTS = {
    "manifest.json": '{"nodes":   {},\n "né": 1.10}\n',
    "compiled/shop/models/orders.sql": "select 'ä'\r\n",
    "steps/2/run_results.json": '{"step": 2}',
    "run_results.json": '{"step": 3}',
}


def seeded(jobs, artifacts=ARTIFACTS, age=600):
    """Return a run with these artifacts that ended `age` seconds ago."""
    jobs.control.seed(jobs=[{"id": 60, "name": "Artful", "pretend": {"artifacts": artifacts}}])
    (run_id,) = jobs.control.seed(runs=[{"job_id": 60, "age": age}])["runs"]
    return run_id


@pytest.fixture
def run_id(jobs):
    return seeded(jobs)


@pytest.fixture
def fetch(run_dag, run_id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(path=None, **arguments):
        with DAG("fetches", schedule=None) as dag:
            DbtCloudGetJobRunArtifactOperator(
                task_id="fetch", **{"run_id": f"{{{{ {run_id} }}}}", "path": path, **arguments}
            )
        return run_dag(dag)

    return run


@pytest.mark.parametrize("path", ["manifest.json", "compiled/shop/models/orders.sql"])
def test_the_bytes_are_written_unchanged_to_a_file_named_after_run_and_path(fetch, run_id, tmp_path, path):
    outcome = fetch(path)
    name = f"{run_id}_{path.replace('/', '-')}"
    assert outcome.xcoms("fetch")["return_value"] == name
    assert (tmp_path / name).read_bytes() == ARTIFACTS[path].encode()


def test_missing_folders_of_the_file_name_are_created(fetch, tmp_path):
    outcome = fetch("manifest.json", output_file_name="artifacts/{{ dag.dag_id }}/manifest.json")
    assert outcome.xcoms("fetch")["return_value"] == "artifacts/fetches/manifest.json"
    assert (tmp_path / "artifacts/fetches/manifest.json").is_file()


def test_the_artifact_of_one_step_can_be_fetched(fetch, run_id, tmp_path):
    fetch("run_results.json", step=2)
    assert (tmp_path / f"{run_id}_run_results.json").read_text() == '{"step": 2}'


def test_a_missing_artifact_leaves_no_file_and_the_error_lists_the_others(fetch, run_id, tmp_path):
    outcome = fetch("catalog.json")
    assert outcome.state == "failed"
    assert f"Run {run_id} has no artifact 'catalog.json'" in outcome.log
    assert "It has manifest.json, run_results.json, compiled/shop/models/orders.sql." in outcome.log
    assert "`dbt docs generate` writes catalog.json" in outcome.log
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../../jobs/", "a/%2e%2e/b", "/manifest.json", ""])
def test_a_path_outside_the_target_folder_is_refused_before_any_request(fetch, jobs, path):
    outcome = fetch(path)
    assert outcome.state == "failed"
    assert f"{path!r} is not a valid artifact path" in outcome.log
    assert jobs.asked("GET", "artifacts") == []


def test_a_failed_download_keeps_the_earlier_file(fetch, jobs, run_id, tmp_path):
    good = tmp_path / f"{run_id}_manifest.json"
    good.write_text("good")
    jobs.control.add_fault("cut", route="*/artifacts/*")
    outcome = fetch("manifest.json", hook_params={"retry_delay": 0.01})
    assert outcome.state == "failed"
    assert "was interrupted" in outcome.log
    assert good.read_text() == "good"
    assert list(tmp_path.iterdir()) == [good]


@pytest.mark.parametrize(
    ("content", "why"),
    [("<html>Log in</html>", "It is a web page"), ('{"nodes": {', "It is incomplete")],
)
def test_damaged_json_keeps_the_earlier_file_and_fails_the_task(run_dag, jobs, tmp_path, content, why):
    good = tmp_path / "manifest.json"
    good.write_text("good")
    run_id = seeded(jobs, {"manifest.json": content})
    with DAG("wrong", schedule=None) as dag:
        DbtCloudGetJobRunArtifactOperator(
            task_id="fetch",
            run_id=run_id,
            path="manifest.json",
            output_path=tmp_path,
            hook_params={"retry_delay": 0.01},
        )
    outcome = run_dag(dag)
    assert outcome.state == "failed"
    assert "is not " in outcome.log
    assert f". {why}" in outcome.log
    assert files(tmp_path) == {"manifest.json": b"good"}


def test_a_full_disk_keeps_the_earlier_file_and_fails_the_task(jobs, tmp_path):
    (tmp_path / "big.bin").write_text("good")
    run_id = seeded(jobs, {"big.bin": "x" * 3_000_000})
    fetch = DbtCloudGetJobRunArtifactOperator(
        task_id="fetch", run_id=run_id, path="big.bin", output_path=tmp_path
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(
            DbtCloudApiException, match=r"nothing was changed there\. File too large\. Free some space there"
        ):
            fetch.execute({})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == {"big.bin": b"good"}


def test_the_name_can_be_read_when_the_dag_is_parsed():
    fetch = DbtCloudGetJobRunArtifactOperator(
        task_id="fetch", run_id="{{ ti.xcom_pull('run') }}", path="a/b.json"
    )
    assert fetch.output_file_name == "{{ ti.xcom_pull('run') }}_a-b.json"


def test_mapped_tasks_name_their_files_after_the_rendered_path(run_dag, run_id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with DAG("names", schedule=None) as dag:
        fetch = DbtCloudGetJobRunArtifactOperator.partial(task_id="fetch", run_id=run_id)
        fetch.expand(path=["manifest.json", "run_results.json"])
    names = run_dag(dag).xcoms("fetch")["return_value"]
    assert names == [f"{run_id}_manifest.json", f"{run_id}_run_results.json"]
    assert all((tmp_path / name).is_file() for name in names)


def test_names_and_patterns_keep_their_paths_below_the_folder(fetch, tmp_path):
    outcome = fetch(paths=["run_results.json", "compiled/**"], output_path="out/{{ dag.dag_id }}")
    folder = tmp_path / "out/fetches"
    assert outcome.xcoms("fetch")["return_value"] == [
        "out/fetches/run_results.json",
        "out/fetches/compiled/shop/models/orders.sql",
    ]
    assert files(folder) == {
        name: ARTIFACTS[name].encode() for name in ("run_results.json", "compiled/shop/models/orders.sql")
    }


def test_all_artifacts_of_a_run_are_fetched_and_the_log_says_how_many(fetch, run_id, tmp_path):
    outcome = fetch(paths="**", output_path=str(tmp_path / "all"))
    assert sorted(files(tmp_path / "all")) == [
        "compiled/shop/models/orders.sql",
        "manifest.json",
        "run_results.json",
    ]
    assert f"Fetched 3 of 3 artifacts of run {run_id}, 0.0 MiB, to {tmp_path / 'all'} in" in outcome.log


def test_a_pattern_with_a_step_matches_the_files_of_that_step(run_dag, jobs, tmp_path):
    artifacts = {"steps/2/run_results.json": '{"step": 2}', "run_results.json": "{}", "catalog.json": "{}"}
    run_id = seeded(jobs, artifacts)
    jobs.control.add_fault("status", route="*/artifacts/catalog.json", status=404)
    with DAG("stepwise", schedule=None) as dag:
        DbtCloudGetJobRunArtifactOperator(
            task_id="fetch", run_id=run_id, paths=["*.json"], step=2, output_path=str(tmp_path)
        )
    assert run_dag(dag).xcoms("fetch")["return_value"] == [str(tmp_path / "run_results.json")]
    assert files(tmp_path) == {"run_results.json": b'{"step": 2}'}


def test_a_pattern_without_a_match_fails_and_the_error_lists_the_artifacts(fetch, run_id, tmp_path):
    outcome = fetch(paths=["manifest.json", "target/**"], output_path=str(tmp_path / "out"))
    assert outcome.state == "failed"
    assert f"Run {run_id} has no artifact 'target/**'. It has manifest.json" in outcome.log
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "name",
    ["../escaped.json", "a/../../escaped.json", "a/%2e%2e/%2e%2e/b", "/etc/x", "C:/x", "a\\..\\b", "a\0b"],
)
def test_listed_names_that_lead_out_of_the_folder_are_refused(run_dag, jobs, tmp_path, name):
    run_id = seeded(jobs, {"manifest.json": "{}", name: "{}"})
    with DAG("escapes", schedule=None) as dag:
        DbtCloudGetJobRunArtifactOperator(
            task_id="fetch", run_id=run_id, paths=["**"], output_path=str(tmp_path / "out")
        )
    outcome = run_dag(dag)
    assert outcome.state == "failed"
    assert "was not written. Its name would leave the target folder" in outcome.log
    assert files(tmp_path) == {}


@pytest.mark.parametrize("where", ["{}/out", "file://{}/out"])
def test_one_artifact_can_be_written_below_a_folder_or_a_url(fetch, tmp_path, where):
    outcome = fetch("compiled/shop/models/orders.sql", output_path=where.format(tmp_path))
    file = tmp_path / "out/compiled/shop/models/orders.sql"
    assert outcome.xcoms("fetch")["return_value"] == str(file)
    assert file.read_bytes() == ARTIFACTS["compiled/shop/models/orders.sql"].encode()


def test_a_file_below_a_folder_can_be_renamed(fetch, tmp_path):
    outcome = fetch("manifest.json", output_path=tmp_path / "out", output_file_name="{{ dag.dag_id }}.json")
    assert outcome.xcoms("fetch")["return_value"] == str(tmp_path / "out/fetches.json")
    assert files(tmp_path / "out") == {"fetches.json": ARTIFACTS["manifest.json"].encode()}


def test_artifacts_are_written_to_an_object_store(fetch, memory_store):
    outcome = fetch(paths=["*.json"], output_path="memory://bucket/runs", output_conn_id="lake")
    assert outcome.xcoms("fetch")["return_value"] == [
        "memory://lake@bucket/runs/manifest.json",
        "memory://lake@bucket/runs/run_results.json",
    ]
    assert {name: file.getvalue() for name, file in memory_store.items()} == {
        "/bucket/runs/manifest.json": ARTIFACTS["manifest.json"].encode(),
        "/bucket/runs/run_results.json": ARTIFACTS["run_results.json"].encode(),
    }


def test_a_failed_download_leaves_an_object_store_unchanged(fetch, jobs, memory_store):
    first = fetch("manifest.json", output_file_name="memory://bucket/manifest.json")
    assert first.xcoms("fetch")["return_value"] == "memory://bucket/manifest.json"
    jobs.control.add_fault("cut", route="*/artifacts/*")
    second = fetch(
        "run_results.json",
        output_file_name="memory://bucket/manifest.json",
        hook_params={"retry_delay": 0.01},
    )
    assert second.state == "failed"
    assert {name: file.getvalue() for name, file in memory_store.items()} == {
        "/bucket/manifest.json": ARTIFACTS["manifest.json"].encode()
    }


@pytest.mark.parametrize(
    "name",
    [
        "../up.json",
        "a/../../up.json",
        "/abs.json",
        "%2e%2e/up.json",
        "..\\up.json",
        "C:up.json",
        "a//b",
        "",
        ".",
    ],
)
@pytest.mark.parametrize("folder", ["out", "memory://bucket/runs"])
def test_a_name_that_leads_out_of_the_folder_is_refused_before_any_request(
    fetch, jobs, tmp_path, folder, name
):
    jobs.control.clear_requests()
    outcome = fetch("manifest.json", output_path=folder, output_file_name=name or "{{ '' }}")
    assert outcome.state == "failed"
    assert (
        f"DbtCloudApiException: Nothing was written to {name!r}. The name leads out of output_path"
        in outcome.log
    )
    assert jobs.control.requests() == []
    assert files(tmp_path) == {}


def test_a_store_that_airflow_does_not_know_is_an_error_of_ours(fetch):
    outcome = fetch("manifest.json", output_path="nosuchstore://bucket/runs")
    assert "DbtCloudApiException: Nothing can be written to nosuchstore://bucket/runs" in outcome.log


SEVERAL = {"paths": ["b"], "output_path": "c"}


@pytest.mark.parametrize(
    "arguments", [{}, {"path": "a", **SEVERAL}, {"paths": ["a"]}, {**SEVERAL, "output_file_name": "d"}]
)
def test_ambiguous_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="Give path for one artifact, or paths and output_path for several"):
        DbtCloudGetJobRunArtifactOperator(task_id="fetch", run_id=1, **arguments)


@pytest.mark.parametrize("given", ["{{ [] }}", "{{ none }}"])
def test_a_template_that_yields_no_paths_fails(fetch, given):
    outcome = fetch(paths=given, output_path="out")
    assert outcome.state == "failed"
    assert "Give path for one artifact" in outcome.log

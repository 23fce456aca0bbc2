"""The logs operator writes the logs of a run's steps to one file, or leaves what was there."""

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudGetJobRunLogsOperator

STEPS = [
    {"name": "Clone git repository", "logs": "Cloning shop\n"},
    {"name": "Invoke dbt with `dbt build`", "command": "dbt build", "logs": "1 of 4 ERROR é", "outcome": 20},
    {"name": "Invoke dbt with `dbt docs generate`", "command": "dbt docs generate", "logs": ""},
]
ALL = """\
===== Step 1: Clone git repository (Success) =====
Cloning shop
===== Step 2: Invoke dbt with `dbt build` (Error) =====
1 of 4 ERROR é
===== Step 3: Invoke dbt with `dbt docs generate` (Success) =====

"""


@pytest.fixture
def run_id(jobs):
    jobs.control.seed(jobs=[{"id": 60, "name": "Loud", "pretend": {"steps": STEPS, "outcome": 20}}])
    (run_id,) = jobs.control.seed(runs=[{"job_id": 60, "age": 600}])["runs"]
    return run_id


@pytest.fixture
def fetch(run_task, jobs, run_id, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(native=False, **arguments):
        with DAG("fetches", schedule=None, render_template_as_native_obj=native) as dag:
            DbtCloudGetJobRunLogsOperator(task_id="fetch", **{"run_id": f"{{{{ {run_id} }}}}", **arguments})
        return run_task(dag)

    return run


def test_all_steps_go_into_a_file_named_after_the_run(fetch, run_id, tmp_path):
    outcome = fetch()
    assert outcome.xcoms("fetch")["return_value"] == f"{run_id}.log"
    assert (tmp_path / f"{run_id}.log").read_text() == ALL
    assert "dbt Cloud has no log of step 3" in outcome.log


def test_debug_logs_have_a_name_of_their_own(fetch, run_id, tmp_path):
    assert fetch(debug=True).xcoms("fetch")["return_value"] == f"{run_id}_debug.log"
    assert (tmp_path / f"{run_id}_debug.log").read_text() == ALL


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("steps", [[2], 2, "{{ 2 }}", "{{ [2] }}"])
def test_one_step_is_written_as_it_is(fetch, tmp_path, steps, native):
    fetch(native=native, steps=steps, output_path=tmp_path / "out", output_file_name="{{ dag.dag_id }}.log")
    assert (tmp_path / "out/fetches.log").read_text() == "1 of 4 ERROR é\n"


def test_a_step_without_a_log_fails_the_task_and_leaves_the_earlier_file(fetch, tmp_path):
    (tmp_path / "it.log").write_text("yesterday")
    outcome = fetch(steps=[3], output_file_name="it.log")
    assert outcome.state == "failed"
    assert "has no log of step 3 (Invoke dbt with `dbt docs generate`)" in outcome.log
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"it.log": "yesterday"}


def test_a_step_that_is_not_there_fails_the_task_and_names_the_others(fetch, tmp_path):
    outcome = fetch(steps=[9])
    assert outcome.state == "failed"
    assert "has no step 9. Its steps are 1 (Clone git repository), 2 (Invoke dbt" in outcome.log
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_not_ended_gives_its_logs_so_far_and_a_warning(fetch, jobs, tmp_path):
    jobs.control.seed(jobs=[{"id": 61, "name": "Slow", "pretend": {"steps": STEPS[:1], "running": 600}}])
    (run_id,) = jobs.control.seed(runs=[{"job_id": 61, "age": 1}])["runs"]
    outcome = fetch(run_id=run_id)
    assert outcome.state == "success"
    assert f"Run {run_id} has not ended yet; these are its logs so far." in outcome.log
    assert (tmp_path / f"{run_id}.log").read_text() == "Cloning shop\n"


@pytest.mark.parametrize("steps", ["build", [1.5], [True]])
def test_steps_that_are_no_numbers_are_refused_by_name(fetch, jobs, steps):
    outcome = fetch(steps=steps)
    assert outcome.state == "failed"
    assert "ValueError: steps is " in outcome.log


def test_logs_are_written_to_an_object_store(fetch, memory_store):
    outcome = fetch(output_path="memory://bucket/logs", output_file_name="it.log", output_conn_id="lake")
    assert outcome.xcoms("fetch")["return_value"] == "memory://lake@bucket/logs/it.log"
    assert {name: file.getvalue().decode() for name, file in memory_store.items()} == {
        "/bucket/logs/it.log": ALL
    }

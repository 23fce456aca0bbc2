"""With `fail_on` and `ignore`, the nodes of a failed run decide about the task."""

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor

RESULTS = {
    "results": [
        {"unique_id": "model.shop.customers", "status": "success"},
        {"unique_id": "model.shop.orders", "status": "error", "message": "Database Error: no such column"},
    ]
}
MANIFEST = {
    "metadata": {},
    "nodes": {"model.shop.customers": {"tags": ["core"]}, "model.shop.orders": {"tags": ["wip"]}},
}
ARTIFACTS = {"run_results.json": RESULTS, "manifest.json": MANIFEST}

FORMS = pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (DbtCloudRunJobOperator, {}),
        (DbtCloudRunJobOperator, {"deferrable": True}),
        (DbtCloudJobRunSensor, {}),
        (DbtCloudJobRunSensor, {"deferrable": True}),
    ],
    ids=["operator", "deferred operator", "sensor", "deferred sensor"],
)


@pytest.fixture
def finish(build, jobs):
    """Runs the operator for a job whose run fails, or the sensor for such a run."""

    def run(kind=DbtCloudRunJobOperator, artifacts=ARTIFACTS, running=1, outcome=20, **arguments):
        steps = [{"name": "Invoke dbt with `dbt build`", "seconds": running, "outcome": outcome}]
        script = {"running": running, "outcome": outcome, "steps": steps, "artifacts": artifacts}
        place = {"project_id": 1, "environment_id": 1}
        jobs.control.seed(jobs=[{"id": 70, "name": "Failing nodes", **place, "pretend": script}])
        if kind is DbtCloudRunJobOperator:
            return build(job_id=70, **arguments)
        return build(kind, run_id=jobs.started(70), poke_interval=0.1, retries=0, **arguments)

    return run


@FORMS
def test_a_run_that_fails_only_on_ignored_nodes_is_a_success(finish, jobs, kind, arguments):
    outcome = finish(kind, ignore="tag:wip", **arguments)
    assert outcome.state == "success"
    (run,) = jobs.runs()
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert outcome.xcoms("build")["dbt_run_report"]["status"] == "Error"
    assert "It counts as a success, because these failures do not count: model orders (error)." in outcome.log


@FORMS
def test_a_run_that_fails_on_a_node_that_counts_is_a_failure(finish, kind, arguments):
    outcome = finish(kind, running=0, fail_on=["tag:core", "orders"], **arguments)
    assert outcome.state == "failed"
    assert "Failed: model orders: Database Error: no such column." in outcome.log
    assert "Not ignored: model orders (error)." in outcome.log


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ({"fail_on": "['customers']"}, "success"),
        ({"fail_on": "{{ params.core }}", "params": {"core": ["customers"]}, "native": True}, "success"),
        ({"ignore": "{{ ['orders'] }}"}, "success"),
        ({"fail_on": "customers", "ignore": ["customers"]}, "success"),
        ({"fail_on": "{{ '' }}", "ignore": None}, "failed"),
    ],
)
def test_both_arguments_are_templated(finish, jobs, arguments, state):
    assert finish(running=0, **arguments).state == state
    assert not jobs.asked("GET", "manifest.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"artifacts": {}}, "step 1, Invoke dbt with `dbt build`, failed for another reason than a node"),
        ({"artifacts": {**ARTIFACTS, "manifest.json": "{cut"}}, "the tags cannot be read"),
        ({"outcome": 30}, "the run ended with status Cancelled"),
    ],
    ids=["no results", "damaged manifest", "cancelled"],
)
def test_what_cannot_be_decided_fails_the_task_and_says_why(finish, arguments, said):
    outcome = finish(running=0, ignore=["tag:wip"], **arguments)
    assert outcome.state == "failed"
    assert f"fail_on and ignore cannot be applied: {said}" in outcome.log


@pytest.mark.parametrize("kind", [DbtCloudRunJobOperator, DbtCloudJobRunSensor])
def test_an_argument_that_names_no_node_is_refused_before_a_run_is_started(finish, jobs, kind):
    outcome = finish(kind, running=0, ignore=["orders+"])
    assert outcome.state == "failed"
    assert "ignore has 'orders+', which is no node" in outcome.log
    assert not [run for run in jobs.runs() if kind is DbtCloudRunJobOperator]

"""A finished run is reported to the task: what became of its nodes."""

import json

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from recorded_run import failed_run

RESULTS = {
    "results": [
        {"unique_id": "model.shop.customers", "status": "success", "execution_time": 0.5},
        {"unique_id": "model.shop.orders", "status": "error", "message": "Database Error: no such column"},
    ]
}


@pytest.fixture
def finished_job(jobs):
    """A job whose run ends at once as `outcome` says and leaves results."""

    def seed(outcome, results=RESULTS, running=0, step="Invoke dbt with `dbt build`", logs=""):
        steps = [{"name": step, "seconds": 0, "outcome": outcome, "logs": logs}]
        script = {"running": running, "outcome": outcome, "steps": steps}
        artifacts = {"run_results.json": results} if results else {}
        jobs.control.seed(
            jobs=[
                {
                    "id": 70,
                    "name": "Told",
                    "project_id": 1,
                    "environment_id": 1,
                    "pretend": {**script, "artifacts": artifacts},
                }
            ]
        )
        return 70

    return seed


def raised(outcome):
    """The exceptions' texts that Airflow logged, each once."""
    lines = {line for line in outcome.log.splitlines() if "DbtCloudJobRunException: Job run" in line}
    return {line.partition("DbtCloudJobRunException: ")[2] for line in lines}


FORMS = [
    (DbtCloudRunJobOperator, {}),
    (DbtCloudRunJobOperator, {"deferrable": True}),
    (DbtCloudJobRunSensor, {"mode": "poke"}),
    (DbtCloudJobRunSensor, {"deferrable": True}),
]
OF_EACH_FORM = pytest.mark.parametrize(
    ("kind", "arguments"), FORMS, ids=["sync", "deferred", "sensor", "deferred sensor"]
)


@pytest.fixture
def form(build, jobs):
    """Runs the operator for a job, or the sensor for a run of it; returns the outcome and the run."""

    def run(kind, job_id, **arguments):
        if kind is DbtCloudRunJobOperator:
            outcome = build(kind, job_id=job_id, **arguments)
        else:
            paced = {"run_id": jobs.started(job_id), "poke_interval": 0.1, "retries": 0}
            outcome = build(kind, **paced, **arguments)
        return outcome, jobs.runs()[-1]

    return run


@OF_EACH_FORM
@pytest.mark.parametrize("running", [0, 1])
def test_a_failed_run_names_its_nodes_in_log_exception_and_xcom(form, finished_job, kind, arguments, running):
    outcome, run = form(kind, finished_job(20, running=running), **arguments)
    assert outcome.state == "failed"
    (message,) = raised(outcome)
    assert message.startswith(f"Job run {run['id']} has failed. ")
    assert "Failed: model orders: Database Error: no such column." in message
    assert message.count(run["href"]) == 1
    assert "error   model orders" in outcome.log
    report = outcome.xcoms("build")["dbt_run_report"]
    assert report["totals"] == {"success": 1, "error": 1}
    assert report["nodes"][0]["unique_id"] == "model.shop.orders"


@OF_EACH_FORM
def test_a_successful_run_is_reported_too(form, finished_job, kind, arguments):
    outcome, _ = form(kind, finished_job(10, {"results": RESULTS["results"][:1]}), **arguments)
    assert outcome.state == "success"
    assert "success model customers" in outcome.log
    assert outcome.xcoms("build")["dbt_run_report"]["status"] == "Success"


@pytest.mark.parametrize(
    ("step", "log"),
    [
        ("Clone git repository", "Cloning\nfatal: repository 'bakery' not found"),
        ("Invoke dbt with `dbt build`", "Encountered an error:\nCompilation Error in model orders"),
    ],
)
@OF_EACH_FORM
def test_the_report_of_a_run_without_results_has_its_step_and_the_end_of_its_log(
    form, finished_job, kind, arguments, step, log
):
    outcome, _ = form(kind, finished_job(20, results=None, step=step, logs=log), **arguments)
    (message,) = raised(outcome)
    assert f"Failed in: {step}. End of its log: {' '.join(log.split())}" in message
    assert f"  {log.splitlines()[-1]}" in outcome.log
    assert outcome.xcoms("build")["dbt_run_report"]["log_tail"] == log.splitlines()


@OF_EACH_FORM
def test_an_error_while_reporting_does_not_replace_the_outcome(form, finished_job, jobs, kind, arguments):
    job_id = finished_job(20)
    jobs.control.add_fault("status", route="*/artifacts/*", status=500)
    outcome, _ = form(kind, job_id, **arguments)
    assert outcome.state == "failed"
    (message,) = raised(outcome)
    assert "has failed. " in message
    assert "Failed in: Invoke dbt with `dbt build`." in message
    assert "cannot be read" in outcome.log


def test_results_are_read_once_for_log_and_xcom(build, finished_job, jobs):
    build(job_id=finished_job(20))
    assert len(jobs.asked("GET", "run_results.json")) == 1


@pytest.mark.dbt
def test_operator_and_sensor_report_a_failed_dbt_build_alike(build, dbt_cloud):
    """A model whose SQL fails, a test that fails, and what dbt skips because of them."""
    job_id = failed_run().seed(dbt_cloud)
    forms = [build(job_id=job_id, deferrable=deferrable) for deferrable in (False, True)]
    run_id = forms[0].xcoms("build")["job_run_id"]
    sensing = {"run_id": run_id, "retries": 0}
    forms += [build(DbtCloudJobRunSensor, deferrable=deferrable, **sensing) for deferrable in (False, True)]
    for outcome in forms:
        assert outcome.state == "failed"
        report = outcome.xcoms("build")["dbt_run_report"]
        by_name = {node["unique_id"].split(".")[2]: node for node in report["nodes"]}
        assert by_name["burnt_losses"]["status"] == "skipped"
        assert by_name["no_sale_on_a_sunday"]["failures"] > 0
        broken = by_name["burnt_batches"]
        assert "Could not convert string" in broken["message"]
        assert broken["compiled_path"] == "compiled/bakery/models/rehearsal/burnt_batches.sql"
        assert len(json.dumps(report)) <= 40_000
        (message,) = raised(outcome)
        for text in (message, outcome.log):
            for words in ("model burnt_batches: ", "Could not convert string", "test no_sale_on_a_sunday: "):
                assert words.rstrip(": ") in text
            assert broken["compiled_path"] in text
            assert report["url"] in text

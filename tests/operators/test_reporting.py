"""A finished run tells the task what became of its nodes."""

import pytest

from airflow_dbt_cloud.reporting import RUN_REPORT

RESULTS = {
    "results": [
        {"unique_id": "model.shop.customers", "status": "success", "execution_time": 0.5},
        {"unique_id": "model.shop.orders", "status": "error", "message": "Database Error: no such column"},
    ]
}


@pytest.fixture
def told(jobs):
    """A job whose run ends at once as `outcome` says and leaves results."""

    def seed(outcome, results=RESULTS, running=0):
        step = {"name": "Invoke dbt with `dbt build`", "seconds": 0, "outcome": outcome}
        script = {"running": running, "outcome": outcome, "steps": [step]}
        jobs.control.seed(
            jobs=[
                {
                    "id": 70,
                    "name": "Told",
                    "project_id": 1,
                    "environment_id": 1,
                    "pretend": {**script, "artifacts": {"run_results.json": results}},
                }
            ]
        )
        return 70

    return seed


@pytest.mark.parametrize(("deferrable", "running"), [(False, 0), (True, 0), (True, 1)])
def test_a_failed_run_names_its_nodes_in_log_exception_and_xcom(build, told, deferrable, running):
    outcome = build(job_id=told(20, running=running), deferrable=deferrable)
    assert outcome.state == "failed"
    assert "has failed. Failed: model orders: Database Error: no such column." in outcome.log
    assert "error    model orders" in outcome.log
    report = outcome.xcoms("build")[RUN_REPORT]
    assert report["totals"] == {"success": 1, "error": 1}
    assert report["nodes"][0]["unique_id"] == "model.shop.orders"


def test_a_run_that_succeeded_is_reported_too(build, told):
    outcome = build(job_id=told(10, {"results": RESULTS["results"][:1]}))
    assert outcome.state == "success"
    assert "success  model customers" in outcome.log
    assert outcome.xcoms("build")[RUN_REPORT]["status"] == "Success"


def test_a_fault_while_reporting_does_not_stand_in_for_the_outcome(build, told, jobs):
    jobs.control.add_fault("status", route="*/artifacts/*", status=500)
    outcome = build(job_id=told(20))
    assert outcome.state == "failed"
    assert "has failed. It failed in: Invoke dbt with `dbt build`." in outcome.log
    assert "cannot be read" in outcome.log

"""The cancel operator cancels a run once and logs the outcome."""

from datetime import timedelta

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudCancelJobRunOperator


@pytest.fixture
def cancel(build_alone):
    def run(run_id, **arguments):
        return build_alone(DbtCloudCancelJobRunOperator, run_id=run_id, **{"timeout": 20, **arguments})

    return run


@pytest.mark.parametrize("wait", [False, True])
def test_a_running_run_is_cancelled(cancel, jobs, wait):
    run = jobs.started(jobs.endless)
    outcome = cancel(run, wait_for_termination=wait)
    assert outcome.state == "success"
    assert jobs.run(run)["status"] == 30
    assert outcome.xcoms("build")["return_value"] == run
    assert outcome.xcoms("build")["job_run_url"] == jobs.run(run)["href"]
    assert f"dbt Cloud is cancelling run {run}; it was running." in outcome.log
    assert (f"Run {run} is cancelled." in outcome.log) is wait


@pytest.mark.parametrize(
    ("job", "ending"),
    [
        ("instant", "had ended already, with status Success"),
        ("failing", "had ended already, with status Error"),
        ("cancelled", "is cancelled"),
    ],
)
def test_a_run_that_has_ended_stays_as_it_is(cancel, jobs, job, ending):
    run = jobs.started(getattr(jobs, job))
    jobs.control.advance(5)
    outcome = cancel(f"{{{{ {run} }}}}")
    assert outcome.state == "success"
    assert f"There is nothing to cancel: run {run} {ending}." in outcome.log
    assert jobs.asked("POST", "/cancel/") == []


def test_cancelling_again_does_no_harm(cancel, jobs):
    run = jobs.started(jobs.endless)
    for _ in range(2):
        assert cancel(str(run)).state == "success"
    assert len(jobs.asked("POST", "/cancel/")) == 1


def test_a_lost_response_does_not_fail_the_task(cancel, jobs):
    run = jobs.started(jobs.endless)
    jobs.control.add_fault("reset", after_acting=True, route="*/cancel/", count=1)
    assert cancel(run).state == "success"
    assert jobs.run(run)["status"] == 30


UNHEEDED = '{"status": {"code": 200}, "data": {"id": 1, "status": 3}}'


def test_a_run_that_does_not_end_in_time_fails_the_task_and_says_so(cancel, jobs):
    run = jobs.started(jobs.endless)
    jobs.control.add_fault("status", status=200, body=UNHEEDED, route="*/cancel/")
    outcome = cancel(run, timeout=timedelta(seconds=2))
    assert outcome.state == "failed"
    assert (
        f"Run {run} was cancelled, but has not ended within 2 seconds. See {jobs.run(run)['href']}"
        in outcome.log
    )


def test_a_run_that_does_not_exist_fails_the_task(cancel, jobs):
    outcome = cancel(7)
    assert outcome.state == "failed"
    assert "dbt Cloud answered 404" in outcome.log


@pytest.mark.parametrize("nothing", [None, "", "{{ none }}"])
def test_an_empty_run_id_is_refused(cancel, jobs, nothing):
    assert "run_id is empty" in cancel(nothing).log
    assert jobs.control.requests() == []

"""The run operator resumes after deferral with the event of a trigger of any release."""

import time
from datetime import timedelta

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudJobRunException, DbtCloudRunJobOperator


@pytest.fixture
def resume(build_alone, jobs):
    """Resumes a task for a run of a job with an event; the run's id is put into it."""

    class Resumed(DbtCloudRunJobOperator):
        def __init__(self, event, **kwargs):
            super().__init__(**kwargs)
            self.event = event

        def execute(self, context):
            return self.execute_complete(context, self.event)

    def run(job_id, event, **arguments):
        run_id = jobs.started(job_id)
        outcome = build_alone(Resumed, job_id=job_id, event={**event, "run_id": run_id}, **arguments)
        return outcome, jobs.run(run_id)

    return run


def test_success_returns_the_runs_id(resume, jobs):
    outcome, run = resume(jobs.instant, {"status": "success", "message": "100 % done."})
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert "100 % done." in outcome.log


def test_success_needs_no_message(resume, jobs):
    outcome, _ = resume(jobs.instant, {"status": "success"})
    assert outcome.state == "success"


def test_the_error_has_the_events_message_and_what_failed(resume, jobs):
    outcome, _ = resume(jobs.failing, {"status": "error", "message": "Job run 5 has failed."})
    assert outcome.state == "failed"
    assert "DbtCloudJobRunException: Job run 5 has failed." in outcome.log


def test_a_deleted_connection_does_not_hide_that_the_run_failed(resume, jobs, monkeypatch):
    event = {"status": "error", "message": "Job run 5 has failed."}
    outcome, _ = resume(jobs.failing, event, dbt_cloud_conn_id="gone")
    assert "DbtCloudJobRunException: Job run 5 has failed." in outcome.log


def test_a_cancelled_run_fails_the_task_and_is_called_cancelled(resume, jobs):
    outcome, _ = resume(jobs.cancelled, {"status": "cancelled"})
    assert outcome.state == "failed"
    assert "cancelled" in outcome.log


def test_a_run_that_could_not_be_polled_is_not_called_failed(resume, jobs):
    message = "Lost contact with job run 5; it may still be running."
    event = {"status": "error", "message": message, "reachable": False}
    outcome, run = resume(jobs.endless, event)
    assert outcome.state == "failed"
    assert f"DbtCloudApiException: {message}" in outcome.log
    assert "has failed" not in outcome.log
    assert run["status"] == 3


@pytest.mark.parametrize(
    ("facts", "status"),
    [({}, 30), ({"cancel": True}, 30), ({"cancel": False}, 3)],
    ids=["before", "execution", "wait"],
)
def test_a_timeout_cancels_the_run_unless_only_the_wait_ended(resume, jobs, facts, status):
    """The official provider sent a timeout for the execution timeout only, and cancelled the run."""
    outcome, run = resume(jobs.endless, {"status": "timeout", "message": "Too late.", **facts})
    assert outcome.state == "failed"
    assert ("DbtCloudJobRunException: Job run" in outcome.log) == (status == 30)
    assert ("has timed out. Too late." in outcome.log) == (status == 30)
    assert "Too late." in outcome.log
    assert run["status"] == status


@pytest.mark.parametrize(("owned", "status"), [(True, 30), (None, 30), (False, 3)])
def test_only_a_run_that_somebody_else_started_outlives_the_execution_timeout(resume, jobs, owned, status):
    """An event without `owned` comes from the official provider, which cancelled the run."""
    _, run = resume(jobs.endless, {"status": "timeout", "cancel": True, "owned": owned})
    assert run["status"] == status


def test_a_cancel_that_fails_does_not_hide_the_timeout(resume, jobs):
    jobs.control.add_fault("status", status=403, route="*/cancel/")
    outcome, _ = resume(jobs.endless, {"status": "timeout", "message": "Too late."})
    assert "Could not cancel job run" in outcome.log
    assert "has timed out. Too late. It could not be cancelled; it may still be running." in outcome.log


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 503}, {"status": 429, "retry_after": 0}])
def test_a_failed_cancel_request_is_retried(resume, jobs, fault):
    jobs.control.add_fault("status", route="*/cancel/", count=6, **fault)
    _, run = resume(jobs.endless, {"status": "timeout"}, hook_params={"retry_delay": 0.01})
    assert run["status"] == 30


@pytest.mark.parametrize(
    ("job", "state", "words"),
    [
        ("instant", "success", "ended with success"),
        ("failing", "failed", "ended with error"),
        ("cancelled", "failed", "ended with cancelled"),
    ],
)
def test_a_run_that_ended_after_the_last_poll_has_not_timed_out(resume, jobs, job, state, words):
    """The trigger's last poll may be an interval ago, and a worker may take a while to start."""
    jobs.control.seed(jobs=[{"id": jobs.failing, "name": "Failing", "pretend": {"outcome": 20}}])
    jobs.control.seed(jobs=[{"id": jobs.cancelled, "name": "Cancelled", "pretend": {"outcome": 30}}])
    event = {"status": "timeout", "message": "Too late.", "cancel": True, "owned": True}
    outcome, _ = resume(getattr(jobs, job), event)
    assert outcome.state == state
    assert words in outcome.log
    assert "Too late." not in outcome.log
    assert jobs.asked("POST", "/cancel/") == []


def test_no_run_is_replaced_when_the_execution_timeout_has_passed(resume, jobs):
    event = {"status": "cancelled", "adopted": True, "execution_deadline": time.time() - 1}
    outcome, run = resume(jobs.endless, event)
    assert len(jobs.runs()) == 1
    assert f"Job run {run['id']} of an earlier try was cancelled, and the task's execution" in outcome.log


def test_a_malformed_event_fails_the_task_and_is_shown(resume, jobs):
    outcome, _ = resume(jobs.instant, {"status": "puzzled"})
    assert "DbtCloudTriggerEventException: Unexpected trigger event status 'puzzled'" in outcome.log


def test_an_empty_account_means_the_connections_account_also_after_deferral(resume, jobs):
    outcome, run = resume(jobs.endless, {"status": "timeout", "message": "Too late."}, account_id="")
    assert run["status"] == 30, outcome.log


def test_times_can_be_timedeltas_also_after_deferral(resume, jobs):
    times = {"timeout": timedelta(seconds=20), "check_interval": timedelta(seconds=0.1)}
    outcome, _ = resume(jobs.instant, {"status": "cancelled", "adopted": True}, **times)
    assert outcome.state == "success", outcome.log
    assert len(jobs.runs()) == 2


@pytest.mark.parametrize("status", ["timeout", "error", "success"])
def test_an_event_without_a_run_fails_the_task_without_a_request(monkeypatch, status):
    event = {"status": status, "message": "Too late.", "run_id": None}
    operator = DbtCloudRunJobOperator(task_id="build", job_id=7)
    monkeypatch.setattr("requests.Session.send", None)
    words = "has timed out" if status == "timeout" else f"ended with {status}"
    with pytest.raises(DbtCloudJobRunException, match=rf"{words}.* Too late\."):
        operator.execute_complete({}, event)

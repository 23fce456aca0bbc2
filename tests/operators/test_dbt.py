"""The run operator in a real Airflow, against the local dbt Cloud."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from moments import in_a_moment
from rehearsal import STEPS

WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@WAITS
def test_a_run_that_succeeds_makes_the_task_succeed_with_the_runs_id(build, jobs, deferrable):
    outcome = build(job_id=jobs.quick, deferrable=deferrable)
    (run,) = jobs.runs()
    assert outcome.state == "success"
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert f"Job run {run['id']} has completed successfully." in outcome.log


@WAITS
def test_a_run_that_fails_fails_the_task_and_the_log_says_which_step(build, jobs, deferrable):
    outcome = build(job_id=jobs.failing, deferrable=deferrable)
    (run,) = jobs.runs()
    assert outcome.state == "failed"
    assert f"DbtCloudJobRunException: Job run {run['id']} has failed" in outcome.log
    assert "Step 2, Invoke dbt with `dbt build`: Error" in outcome.log
    assert "Database Error in model orders" in outcome.log


@WAITS
def test_a_cancelled_run_fails_the_task_and_is_called_cancelled(build, jobs, deferrable):
    outcome = build(job_id=jobs.cancelled, deferrable=deferrable)
    (run,) = jobs.runs()
    assert outcome.state == "failed"
    assert f"DbtCloudJobRunException: Job run {run['id']} has been cancelled" in outcome.log


@WAITS
def test_a_timeout_ends_the_wait_and_the_message_says_that_the_run_is_still_running(build, jobs, deferrable):
    outcome = build(job_id=jobs.endless, deferrable=deferrable, timeout=0.3)
    (run,) = jobs.runs()
    assert outcome.state == "failed"
    (message,) = {line for line in outcome.log.splitlines() if "DbtCloudJobRunException: Job" in line}
    assert "still be running" in message or "is still running" in message
    assert run["href"] in message
    assert "has failed" not in outcome.log
    assert run["status"] == 3


@WAITS
def test_a_timeout_says_that_the_run_is_still_queued(build, jobs, deferrable):
    jobs.control.seed(jobs=[{"id": 70, "name": "Stuck", "pretend": {"queued": 3000, "running": 1}}])
    outcome = build(job_id=70, deferrable=deferrable, timeout=0.3)
    (message,) = {line for line in outcome.log.splitlines() if "DbtCloudJobRunException: Job" in line}
    assert "found it queued" in message or "is still queued. See " in message
    assert " seconds" in message
    assert "is still running" not in message


@WAITS
def test_the_execution_timeout_cancels_the_run(build, jobs, deferrable):
    outcome = build(
        job_id=jobs.endless, deferrable=deferrable, execution_timeout=timedelta(seconds=1), timeout=600
    )
    (run,) = jobs.runs()
    assert outcome.state == "failed"
    assert run["status"] == 30
    assert len(jobs.asked("POST", "/cancel/")) == 1


@WAITS
@pytest.mark.parametrize("job", ["quick", "failing"])
@pytest.mark.parametrize("pushes", [True, False], ids=["", "do_xcom_push=False"])
def test_the_runs_id_and_address_are_pushed_however_the_run_ends(build, jobs, deferrable, job, pushes):
    outcome = build(job_id=getattr(jobs, job), deferrable=deferrable, do_xcom_push=pushes)
    (run,) = jobs.runs()
    xcoms = outcome.xcoms("build")
    assert xcoms["job_run_id"] == run["id"]
    assert xcoms["job_run_url"] == run["href"]
    assert xcoms["job_run_url"].endswith(f"/runs/{run['id']}/")
    assert ("return_value" in xcoms) == (pushes and job == "quick")


def test_the_runs_address_is_in_the_log(build, jobs):
    outcome = build(job_id=jobs.instant)
    assert jobs.runs()[0]["href"] in outcome.log


def test_id_and_address_are_pushed_before_the_wait(build, jobs):
    """A task that is killed while it waits has already said which run it started."""
    seen = []

    class Looking(DbtCloudRunJobOperator):
        def execute(self, context):
            self.ti = context["ti"]
            return super().execute(context)

        def _finish_or_defer(self, deadlines):
            seen.extend(self.ti.xcom_pull(task_ids="build", key=key) for key in ("job_run_id", "job_run_url"))
            return super()._finish_or_defer(deadlines)

    build(Looking, job_id=jobs.quick, deferrable=True)
    (run,) = jobs.runs()
    assert seen == [run["id"], run["href"]]


def test_status_changes_and_step_starts_are_logged_while_the_worker_waits(build, jobs, moments):
    clone, invoke = STEPS
    steps = [{**clone, "seconds": 3_600}, {**invoke, "seconds": 36_000}]
    script = {"running": 36_000, "steps": steps}
    jobs.control.seed(jobs=[{"id": 90, "name": "Two steps", "pretend": script}])

    def polls_of_steps():
        return len(jobs.asked("GET", "run_steps"))

    def start_second_step():
        jobs.control.advance(3_601)
        before = polls_of_steps()
        in_a_moment(lambda: polls_of_steps() > before + 1, lambda: jobs.control.advance(36_000))

    in_a_moment(polls_of_steps, start_second_step)
    outcome = build(job_id=90, check_interval=0.02)
    (run,) = jobs.runs()
    expected = [
        f"dbt Cloud run {run['id']}: Running.",
        "step 1: Clone git repository",
        "step 2: Invoke dbt with",
    ]
    places = [outcome.log.index(words) for words in expected]
    assert places == sorted(places)
    assert outcome.log.count("step 1: Clone git repository") == 1


def test_the_default_cause_is_the_wording_that_other_tools_match(build, jobs):
    build(job_id=jobs.instant)
    (trigger,) = jobs.triggers()
    wording = "Triggered via Apache Airflow by task 'build' in the nightly DAG."
    assert trigger["cause"].startswith(wording)


def test_a_given_cause_is_sent_and_cut_to_the_length_that_dbt_cloud_accepts(build, jobs):
    build(job_id=jobs.instant, trigger_reason="For {{ dag.dag_id }} " + "x" * 300)
    (trigger,) = jobs.triggers()
    assert trigger["cause"].startswith("For nightly xxx")
    assert len(trigger["cause"]) == 255


def test_without_waiting_the_task_ends_while_the_run_is_still_running(build, jobs):
    outcome = build(job_id=jobs.endless, wait_for_termination=False)
    (run,) = jobs.runs()
    assert outcome.state == "success"
    assert outcome.xcoms("build") == {
        "return_value": run["id"],
        "job_run_id": run["id"],
        "job_run_url": run["href"],
        "_link_DbtCloudRunJobOperatorLink": run["href"],
    }
    assert run["status"] == 3


def test_deferrable_without_waiting_warns_that_it_has_no_effect(build, jobs):
    with pytest.warns(UserWarning, match="deferrable has no effect"):
        outcome = build(job_id=jobs.endless, wait_for_termination=False, deferrable=True)
    assert outcome.state == "success"


def test_a_job_is_found_by_the_names_of_project_environment_and_itself(build, jobs):
    build(project_name="Sample bakery", environment_name="Production", job_name="Instant")
    assert [run["job_definition_id"] for run in jobs.runs()] == [jobs.instant]


def test_the_error_says_which_of_the_names_was_not_found(build, jobs):
    outcome = build(project_name="Sample bakery", environment_name="Nowhere", job_name="Instant")
    assert "DbtCloudResourceLookupError: Found 0 environments named 'Nowhere'" in outcome.log
    assert jobs.runs() == []


def test_without_an_id_the_error_lists_the_missing_names(build, jobs):
    outcome = build(job_id="{{ none }}", project_name="Sample bakery", environment_name="")
    assert "no environment_name and no job_name" in outcome.log
    assert jobs.control.requests() == []


@pytest.mark.parametrize("reuse", [False, True])
def test_a_name_as_job_id_is_refused_before_any_request(build, jobs, reuse):
    outcome = build(job_id="Nightly build", reuse_existing_run=reuse)
    assert "DbtCloudApiException: 'Nightly build' is not a valid job_id" in outcome.log
    assert "names go into project_name, environment_name and job_name" in outcome.log
    assert jobs.control.requests() == []


@WAITS
def test_reuse_existing_run_waits_for_the_running_run(build, jobs, deferrable):
    running = jobs.started(jobs.endless)
    outcome = build(job_id=jobs.endless, reuse_existing_run=True, deferrable=deferrable, timeout=0.3)
    assert outcome.xcoms("build")["job_run_id"] == running
    assert f"DbtCloudJobRunException: Job run {running} has " in outcome.log
    assert "has not " in outcome.log
    assert len(jobs.runs()) == 1


def test_reuse_existing_run_starts_a_run_where_none_is_running(build, jobs):
    outcome = build(job_id=jobs.instant, reuse_existing_run=True)
    assert [run["id"] for run in jobs.runs()] == [outcome.xcoms("build")["return_value"]]


def test_a_retry_of_the_task_can_continue_its_failed_run(build, jobs):
    build(job_id=jobs.failing, retry_from_failure=True, retries=1, retry_delay=timedelta(0))
    first, second = jobs.runs()
    assert second["retrying_run_id"] == first["id"]


def test_the_first_try_starts_a_new_run_after_one_of_an_earlier_dag_run_failed(build, jobs):
    build(job_id=jobs.failing)
    build(job_id=jobs.failing, retry_from_failure=True)
    assert [run["retrying_run_id"] for run in jobs.runs()] == [None, None]


def test_after_a_success_retry_from_failure_starts_a_new_run(build, jobs):
    build(job_id=jobs.instant)
    build(job_id=jobs.instant, retry_from_failure=True)
    assert [run["retrying_run_id"] for run in jobs.runs()] == [None, None]


def test_a_killed_task_cancels_its_run(jobs):
    operator = DbtCloudRunJobOperator(task_id="build", job_id=jobs.endless)
    operator.run_id = jobs.started(jobs.endless)
    operator.on_kill()
    assert [run["status"] for run in jobs.runs()] == [30]


def test_a_task_killed_before_its_start_sends_no_request(jobs):
    DbtCloudRunJobOperator(task_id="build", job_id=jobs.endless).on_kill()
    assert jobs.control.requests() == []


def test_airflows_configuration_makes_the_operators_deferrable():
    code = (
        "import json; from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator as Run;"
        "from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor as Sensor;"
        "print(json.dumps([Run(task_id='a', job_id=1).deferrable, Sensor(task_id='b', run_id=1).deferrable]))"
    )
    environment = os.environ | {"AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [True, True]

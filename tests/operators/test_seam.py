"""Operators, sensors and triggers act only through the hook: replacing one of its verbs takes effect."""

from datetime import timedelta
from unittest import mock

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudListJobRunsOperator,
    DbtCloudListJobsOperator,
    DbtCloudRunJobOperator,
)
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor


def run(jobs, job="instant", **arguments):
    DbtCloudRunJobOperator(
        task_id="task", **{"job_id": getattr(jobs, job), "check_interval": 0.1, **arguments}
    )


def run_by_names(jobs):
    names = {"project_name": "Sample bakery", "environment_name": "Production", "job_name": "Instant"}
    DbtCloudRunJobOperator(task_id="task", **names)


def run_deferred(jobs, job="quick", **arguments):
    run(jobs, job, deferrable=True, **arguments)


def run_out_of_time(jobs):
    run_deferred(jobs, "endless", execution_timeout=timedelta(seconds=3))


def sense(jobs, job="quick", **arguments):
    run_id = jobs.started(getattr(jobs, job))
    DbtCloudJobRunSensor(task_id="task", run_id=run_id, poke_interval=0.1, **arguments)


def sense_failure(jobs):
    sense(jobs, "failing")


def sense_deferred(jobs):
    sense(jobs, "endless", deferrable=True, timeout=2)


def fetch(jobs):
    DbtCloudGetJobRunArtifactOperator(
        task_id="task", run_id=jobs.started(jobs.failing), path="run_results.json"
    )


def list_jobs(jobs):
    DbtCloudListJobsOperator(task_id="task")


def list_runs(jobs):
    DbtCloudListJobRunsOperator(task_id="task")


USES = [
    ("trigger_job_run", run),
    ("get_job_by_name", run_by_names),
    ("get_job_runs", lambda jobs: run(jobs, reuse_existing_run=True)),
    ("wait_for_job_run_status", run),
    ("get_job_run_status", run),
    ("get_job_run_status", run_deferred),
    ("get_job_run_status", sense),
    ("get_job_run_status", sense_deferred),
    ("get_job_status", lambda jobs: run_deferred(jobs, "endless", timeout=2)),
    ("get_job_status", sense_deferred),
    ("log_job_run_failure_details", lambda jobs: run(jobs, "failing")),
    ("log_job_run_failure_details", lambda jobs: run_deferred(jobs, "failing")),
    ("log_job_run_failure_details", sense_failure),
    ("cancel_job_run", run_out_of_time),
    ("get_job_run_artifact", fetch),
    ("list_jobs", list_jobs),
    ("list_job_runs", list_runs),
]


@pytest.mark.parametrize(
    ("verb", "use"), USES, ids=[f"{verb}-{index}" for index, (verb, _) in enumerate(USES)]
)
def test_a_replaced_verb_is_what_is_called(run_dag, jobs, prompt_triggers, tmp_path, monkeypatch, verb, use):
    """The replacement does what the verb did, so that the task reaches its end."""
    monkeypatch.chdir(tmp_path)
    original = getattr(DbtCloudHook, verb)
    with mock.patch.object(DbtCloudHook, verb, autospec=True, side_effect=original) as replaced:
        with DAG("seam", schedule=None) as dag:
            use(jobs)
        run_dag(dag)
    assert replaced.called


class Reversing(DbtCloudHook):
    """Reports failure as success, on the worker and in the triggerer."""

    def get_job_run_status(self, run_id, account_id=None):
        return {20: 10}.get(status := super().get_job_run_status(run_id, account_id), status)

    async def get_job_status(self, run_id, account_id=None, include_related=None):
        status = await super().get_job_status(run_id, account_id, include_related)
        return {20: 10}.get(status, status)


@pytest.mark.parametrize("place", ["hooks", "operators"])
@pytest.mark.parametrize("deferrable", [False, True])
def test_the_run_operator_uses_a_hook_that_replaces_ours(build, jobs, place, deferrable):
    with (
        mock.patch(f"airflow_dbt_cloud.{place}.dbt.DbtCloudHook", Reversing),
        mock.patch("airflow_dbt_cloud.triggers.dbt.DbtCloudHook", Reversing),
    ):
        assert build(job_id=jobs.failing, deferrable=deferrable).state == "success"
    assert build(job_id=jobs.failing, deferrable=deferrable).state == "failed"


@pytest.mark.parametrize("place", ["hooks", "sensors"])
def test_the_sensor_uses_a_hook_that_replaces_ours(run_dag, jobs, place):
    def sensed():
        with DAG("sensed", schedule=None) as dag:
            sense_failure(jobs)
        return run_dag(dag).state

    with mock.patch(f"airflow_dbt_cloud.{place}.dbt.DbtCloudHook", Reversing):
        assert sensed() == "success"
    assert sensed() == "failed"


@pytest.mark.parametrize("place", ["hooks", "triggers"])
def test_the_trigger_alone_uses_a_hook_that_replaces_ours(build, jobs, place):
    with mock.patch(f"airflow_dbt_cloud.{place}.dbt.DbtCloudHook", Reversing):
        assert build(job_id=jobs.failing, deferrable=True).state == "success"


def test_a_subclass_of_the_operator_can_have_a_hook_of_its_own(build, jobs):
    class Lenient(DbtCloudRunJobOperator):
        @property
        def hook(self):
            return Reversing(self.dbt_cloud_conn_id)

    assert build(Lenient, job_id=jobs.failing).state == "success"


@pytest.mark.parametrize("place", ["hooks", "operators"])
def test_users_tests_can_replace_the_hook_with_a_mock(place):
    started = {"data": {"id": 7, "href": "https://example.com/runs/7/"}}
    context = {"ti": mock.MagicMock(task_id="task", dag_id="dag")}
    with mock.patch(f"airflow_dbt_cloud.{place}.dbt.DbtCloudHook") as hook:
        hook.return_value.trigger_job_run.return_value.json.return_value = started
        operator = DbtCloudRunJobOperator(task_id="task", job_id=3, trigger_reason="A test")
        assert operator.execute(context) == 7
    asked = hook.return_value.trigger_job_run.call_args.kwargs
    assert (asked["job_id"], asked["cause"]) == (3, "A test")
    assert hook.return_value.wait_for_job_run_status.call_args.kwargs["run_id"] == 7
    context["ti"].xcom_push.assert_any_call(key="job_run_url", value="https://example.com/runs/7/")

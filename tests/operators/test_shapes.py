"""DAGs that were written for the official provider keep working."""

from datetime import timedelta

import pytest
from airflow.models.asset import AssetEvent
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.sdk import DAG, Asset, TaskGroup, task
from airflow.utils.session import create_session
from sqlalchemy import select
from tenacity import stop_after_attempt

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators import dbt
from airflow_dbt_cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudJobRunException,
    DbtCloudListJobRunsOperator,
    DbtCloudRunJobOperator,
    DbtCloudRunJobOperatorLink,
)
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from moments import in_a_moment


class RunsByTag(DbtCloudRunJobOperator):
    """Has template fields of its own, sets the job late, and uses the hook before the start."""

    template_fields = ("tag", "dbt_cloud_conn_id", "job_id")

    def __init__(self, tag, **kwargs):
        super().__init__(job_id=0, **kwargs)
        self.tag = tag

    def execute(self, context):
        found = self.hook.list_jobs(name_contains=self.tag)[0].json()["data"]
        self.job_id = found[0]["id"]
        return super().execute(context)


def test_a_subclass_replaces_template_fields_uses_the_hook_first_and_sets_the_job_late(build, jobs):
    outcome = build(RunsByTag, tag="{{ 'Inst' }}")
    assert outcome.state == "success"
    assert [run["job_definition_id"] for run in jobs.runs()] == [jobs.instant]


class RunsByName(DbtCloudRunJobOperator):
    def __init__(self, job, **kwargs):
        super().__init__(job_id=0, project_name="Sample bakery", environment_name="Production", **kwargs)
        self.job_name = job


def test_names_set_after_an_id_of_zero_lead_to_the_job(build, jobs):
    assert build(RunsByName, job="Instant").state == "success"
    assert [run["job_definition_id"] for run in jobs.runs()] == [jobs.instant]


class TellsOfItsEnd(DbtCloudRunJobOperator):
    def __init__(self, **kwargs):
        super().__init__(deferrable=True, **kwargs)

    def execute_complete(self, context, event):
        return f"{event['status']} of {super().execute_complete(context, event)}"


def test_a_subclass_can_have_its_own_execute_complete(build, jobs, moments):
    in_a_moment(lambda: jobs.asked("GET", "pk__in"), lambda: jobs.control.advance(36_000))
    outcome = build(TellsOfItsEnd, job_id=jobs.endless)
    assert outcome.xcoms("build")["return_value"] == f"success of {jobs.runs()[0]['id']}"


class OwnOperator(BaseOperator):
    operator_extra_links = (DbtCloudRunJobOperatorLink(),)

    def execute(self, context):
        context["ti"].xcom_push(key="job_run_url", value="https://example.com/runs/7/")


def test_an_operator_of_the_users_own_can_use_the_link(run_dag):
    with DAG("linked", schedule=None) as dag:
        OwnOperator(task_id="own")
    assert run_dag(dag).xcoms("own")["job_run_url"] == "https://example.com/runs/7/"


def test_an_operator_can_be_executed_within_a_python_task(run_dag, jobs):
    @task
    def nested(**context):
        run = DbtCloudRunJobOperator(task_id="inner", job_id=jobs.instant).execute(context)
        failing = DbtCloudRunJobOperator(task_id="other", job_id=jobs.failing, check_interval=0.1)
        try:
            failing.execute(context)
        except DbtCloudJobRunException:
            return [run, failing.run_id]

    with DAG("nests", schedule=None) as dag:
        nested()
    outcome = run_dag(dag)
    assert outcome.xcoms("nested")["return_value"] == [run["id"] for run in jobs.runs()]


def test_the_runs_id_can_be_passed_to_other_tasks_in_every_way(run_dag, jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    @task
    def printed(run, text):
        return [run, text]

    with DAG("passes", schedule=None) as dag:
        run = DbtCloudRunJobOperator(task_id="run", job_id=jobs.failing, wait_for_termination=False)
        ended = DbtCloudJobRunSensor(task_id="ended", run_id=run.output, poke_interval=0.1, soft_fail=True)
        fetched = DbtCloudGetJobRunArtifactOperator(
            task_id="fetched",
            run_id="{{ ti.xcom_pull(task_ids='run') }}",
            path="run_results.json",
            trigger_rule="all_done",
        )
        ended >> fetched >> printed(run.output, f"run {run.output}")
    outcome = run_dag(dag)
    run_id = jobs.runs()[0]["id"]
    assert outcome.states == {
        "run": "success",
        "ended": "skipped",
        "fetched": "success",
        "printed": "success",
    }
    assert outcome.xcoms("printed")["return_value"] == [run_id, f"run {run_id}"]
    assert (tmp_path / f"{run_id}_run_results.json").is_file()


def test_default_args_of_a_dag_and_of_a_group_reach_the_operators_that_have_them(run_dag, jobs):
    with (
        DAG("grouped", schedule=None, default_args={"poke_interval": 0.1, "job_id": jobs.instant}) as dag,
        TaskGroup(
            "dbt", default_args={"account_id": 1, "check_interval": 0.1, "retries": 0, "soft_fail": True}
        ),
    ):
        run = DbtCloudRunJobOperator(task_id="run")
        runs = DbtCloudListJobRunsOperator(task_id="runs", latest_only=True)
        run >> [DbtCloudJobRunSensor(task_id="ended", run_id=run.output), runs]
    outcome = run_dag(dag)
    assert outcome.state == "success"
    assert outcome.xcoms("dbt.runs")["return_value"]["job_definition_id"] == jobs.instant


def test_outlets_of_the_run_operator_get_their_events(run_dag, jobs):
    with DAG("publishes", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="run", job_id=jobs.instant, outlets=[Asset("mart_orders")])
    outcome = run_dag(dag)
    with create_session() as session:
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == outcome.run_id)).all()
        assert [event.asset.name for event in events] == ["mart_orders"]


def test_deferral_timeout_reuse_and_retries_work_together(build, jobs):
    outcome = build(
        job_id=str(jobs.quick),
        account_id="1",
        deferrable=True,
        execution_timeout=timedelta(minutes=5),
        reuse_existing_run=True,
        retry_from_failure=True,
        do_xcom_push=False,
        additional_run_config=None,
        steps_override=None,
    )
    assert outcome.state == "success"


@pytest.mark.parametrize("name", ["DbtCloudHook", "DbtCloudJobRunStatus", "DbtCloudJobRunException"])
def test_the_operators_module_has_the_names_that_users_import(name):
    assert getattr(dbt, name) is getattr(__import__("airflow_dbt_cloud.hooks.dbt", fromlist=[name]), name)


def test_attributes_hold_what_was_given_until_a_task_runs():
    operator = DbtCloudRunJobOperator(task_id="run", job_id="{{ params.job }}", trigger_reason="{{ ds }}")
    assert (operator.job_id, operator.trigger_reason) == ("{{ params.job }}", "{{ ds }}")
    assert (operator.wait_for_termination, operator.timeout, operator.check_interval) == (True, 604_800, 60)


@pytest.mark.parametrize("deferrable", [False, True])
def test_hook_params_that_the_triggerer_cannot_store_are_dropped_with_a_warning(build, jobs, deferrable):
    outcome = build(
        job_id=jobs.quick,  # a run that has ended at the first poll is not deferred
        deferrable=deferrable,
        hook_params={"retry_args": {"stop": stop_after_attempt(3)}, "retry_limit": 2},
    )
    assert outcome.state == "success"
    assert ("hook_params['retry_args'] cannot be sent to the triggerer" in outcome.log) == deferrable


def test_hook_params_reach_the_hook(jobs):
    operator = DbtCloudRunJobOperator(task_id="run", job_id=1, hook_params={"retry_limit": 7})
    assert isinstance(operator.hook, DbtCloudHook)
    assert operator.hook.retry_limit == 7
    assert operator.hook is operator.hook

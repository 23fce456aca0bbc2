"""Runs with what was asked to be included: trigger, job, environment, steps, logs."""

from collections.abc import Sequence
from typing import Any

from airflow_dbt_cloud.local.cloud import Cloud
from airflow_dbt_cloud.local.definition_shapes import environment_shape, nested_job_shape
from airflow_dbt_cloud.local.models import Environment, Job, Project, Run, Status
from airflow_dbt_cloud.local.retries import refusal
from airflow_dbt_cloud.local.run_shapes import run_shape, step_shape, trigger_shape


def shapes(cloud: Cloud, runs: Sequence[Run], include: frozenset[str]) -> list[dict[str, Any]]:
    """Write runs, each with what was asked for and with whether it can be retried."""
    now = cloud.clock.now()
    failed = [run for run in runs if run.status(now) is Status.ERROR]
    newest = cloud.store.runs.latest_ids(run.job_id for run in failed)
    return [_shape(cloud, run, include, now, newest.get(run.job_id)) for run in runs]


def started_shape(cloud: Cloud, run: Run) -> dict[str, Any]:
    """Write a run that has just been started: dbt Cloud shows its trigger and its job."""
    return shapes(cloud, [run], frozenset({"trigger", "job"}))[0]


def _shape(cloud: Cloud, run: Run, include: frozenset[str], now: int, newest: int | None) -> dict[str, Any]:
    shape = run_shape(run, now, cloud.base_url, blocked_by=cloud.queue.ahead_of(run))
    if shape["is_error"]:
        reason = refusal(cloud, run, newest)
        shape["can_retry"], shape["retry_not_supported_reason"] = reason is None, reason
    if "trigger" in include:
        shape["trigger"] = trigger_shape(run)
    if "job" in include:
        job = cloud.store.definitions.get(Job, run.job_id)
        shape["job"] = nested_job_shape(job) if job else None
    if "environment" in include:
        project = cloud.store.definitions.get(Project, run.project_id)
        shape["environment"] = environment_of(cloud, run.environment_id, project)
    if {"run_steps", "debug_logs"} & include:
        debug_logs = "debug_logs" in include
        shape["run_steps"] = [step_shape(step, now, debug_logs=debug_logs) for step in cloud.steps(run)]
    return shape


def environment_of(cloud: Cloud, environment_id: int, project: Project | None) -> dict[str, Any] | None:
    """Write the environment of a run or a job, with its connection; None where it is gone."""
    environment = cloud.store.definitions.get(Environment, environment_id)
    if environment is None:
        return None
    return environment_shape(environment, project, database=str(cloud.database(environment_id)))

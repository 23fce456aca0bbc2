"""Runs and jobs with what was asked to be included: trigger, job, environment, steps, logs, newest runs."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dbtcloud.local.api.responses.definitions import (
    account_shape,
    environment_shape,
    job_shape,
    nested_job_shape,
    project_shape,
)
from dbtcloud.local.api.responses.runs import audit_shape, run_shape, step_shape, trigger_shape
from dbtcloud.local.model.records import (
    AccountRecord,
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.cron import next_run
from dbtcloud.local.orchestration.retries import refusal
from dbtcloud.local.store.interface import PageQuery, RunQuery

_FINISHED = tuple(int(status) for status in Status if status.finished)
_RECENT = {"most_recent_run": None, "most_recent_completed_run": _FINISHED}


def shapes(cloud: Cloud, runs: Sequence[RunRecord], include: frozenset[str]) -> list[dict[str, Any]]:
    """Write runs, each with what was asked for and with whether it can be retried."""
    now = cloud.clock.now()
    failed = [run for run in runs if run.status(now) is Status.ERROR]
    newest = cloud.store.runs.latest_ids(run.job_id for run in failed)
    shared = _Shared(cloud, now, newest)
    return [_shape(run, include, shared) for run in runs]


def started_shape(cloud: Cloud, run: RunRecord) -> dict[str, Any]:
    """Write a run that has just been started: dbt Cloud shows its trigger and its job."""
    return shapes(cloud, [run], frozenset({"trigger", "job"}))[0]


def newest_run(cloud: Cloud, job: JobRecord, statuses: Sequence[int] | None = None) -> RunRecord | None:
    """Return the newest run of a job, of those with one of these statuses if some are given."""
    query = RunQuery(job.account_id, job_ids=[job.id], statuses=statuses)
    runs, _ = cloud.store.runs.find(query, PageQuery(limit=1, order_by="-id"), cloud.clock.now())
    return runs[0] if runs else None


def job_with(cloud: Cloud, job: JobRecord, include: frozenset[str]) -> dict[str, Any]:
    """Write a job with what was asked for."""
    store, shape = cloud.store, job_shape(job)
    if cloud.schedules_run:
        shape |= next_run(job, cloud.clock.now())
    project = store.definitions.get(ProjectRecord, job.project_id)
    if "account" in include:
        account = store.definitions.get(AccountRecord, job.account_id)
        shape["account"] = account_shape(account, cloud.base_url) if account else None
    if "project" in include:
        shape["project"] = project_shape(project) if project else None
    if "environment" in include:
        shape["environment"] = environment_of(cloud, job.environment_id, project)
    for name, statuses in _RECENT.items():
        if name in include:
            newest = newest_run(cloud, job, statuses)
            shape[name] = shapes(cloud, [newest], frozenset())[0] if newest else None
    return shape


def environment_of(cloud: Cloud, environment_id: int, project: ProjectRecord | None) -> dict[str, Any] | None:
    """Write the environment of a run or a job, with its connection; None where it is gone."""
    environment = cloud.store.definitions.get(EnvironmentRecord, environment_id)
    if environment is None:
        return None
    return environment_shape(environment, project, database=str(cloud.database(environment_id)))


class _Shared:
    """What the runs of one page have in common; jobs and environments are written once."""

    def __init__(self, cloud: Cloud, now: int, newest: Mapping[int, int]) -> None:
        self.cloud, self.now, self.newest = cloud, now, newest
        self.job, self.environment = cache(self._job), cache(self._environment)

    def _job(self, job_id: int) -> dict[str, Any] | None:
        job = self.cloud.store.definitions.get(JobRecord, job_id)
        return nested_job_shape(job) if job else None

    def _environment(self, environment_id: int, project_id: int) -> dict[str, Any] | None:
        project = self.cloud.store.definitions.get(ProjectRecord, project_id)
        return environment_of(self.cloud, environment_id, project)


def _shape(run: RunRecord, include: frozenset[str], shared: _Shared) -> dict[str, Any]:
    cloud, now = shared.cloud, shared.now
    shape = run_shape(run, now, cloud.base_url, blocked_by=cloud.queue.ahead_of(run))
    if shape["is_error"]:
        reason = refusal(cloud, run, shared.newest.get(run.job_id))
        shape["can_retry"], shape["retry_not_supported_reason"] = reason is None, reason
    if "trigger" in include:
        shape["trigger"] = trigger_shape(run)
    if "job" in include:
        shape["job"] = shared.job(run.job_id)
    if "environment" in include:
        shape["environment"] = shared.environment(run.environment_id, run.project_id)
    if {"run_steps", "debug_logs"} & include:
        debug_logs = "debug_logs" in include
        shape["run_steps"] = [step_shape(step, now, debug_logs=debug_logs) for step in cloud.steps(run)]
    return {**shape, **_rarely_asked(cloud, run, include, now)}


def _rarely_asked(cloud: Cloud, run: RunRecord, include: frozenset[str], now: int) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if "repository" in include:
        asked["repository"] = None
    if "audit" in include:
        asked["audit"] = audit_shape(run, now)
    if "run_retries" in include:
        query = RunQuery(run.account_id, job_ids=[run.job_id], retrying_run_ids=[run.id])
        retries, _ = cloud.store.runs.find(query, PageQuery(), now)
        asked["run_retries"] = [run_shape(each, now, cloud.base_url) for each in retries]
    return asked

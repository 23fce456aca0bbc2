"""The related objects of runs and jobs, which `include_related` names."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dbtcloud.local.api.responses.definitions import (
    account_json,
    environment_json,
    job_json,
    nested_job_json,
    project_json,
)
from dbtcloud.local.api.responses.runs import audit_json, run_json, step_json, trigger_json
from dbtcloud.local.model.clock import iso_timestamp
from dbtcloud.local.model.durations import humanise_duration
from dbtcloud.local.model.records import (
    AccountRecord,
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.retries import RunRetry
from dbtcloud.local.orchestration.schedule import next_scheduled_time
from dbtcloud.local.store.queries import PageQuery, RunQuery

_FINISHED = tuple(int(status) for status in Status if status.finished)
_RECENT = {"most_recent_run": None, "most_recent_completed_run": _FINISHED}


def runs_with_related(
    cloud: Cloud, runs: Sequence[RunRecord], include: frozenset[str]
) -> list[dict[str, Any]]:
    """Return runs with the related objects, and whether each can be retried."""
    now = cloud.clock.now()
    failed = [run for run in runs if run.status(now) is Status.ERROR]
    newest = cloud.store.runs.latest_ids(run.job_id for run in failed)
    shared = _Shared(cloud, now, newest)
    return [_run_with_related(run, include, shared) for run in runs]


def started_run_json(cloud: Cloud, run: RunRecord) -> dict[str, Any]:
    """Return a new run. dbt Cloud includes its trigger and its job."""
    return runs_with_related(cloud, [run], frozenset({"trigger", "job"}))[0]


def newest_run(cloud: Cloud, job: JobRecord, statuses: Sequence[int] | None = None) -> RunRecord | None:
    """Return the newest run of a job, of those with one of `statuses` if there are any."""
    query = RunQuery(job.account_id, job_ids=[job.id], statuses=statuses)
    runs, _ = cloud.store.runs.find(query, PageQuery(limit=1, order_by="-id"), cloud.clock.now())
    return runs[0] if runs else None


def job_with_related(cloud: Cloud, job: JobRecord, include: frozenset[str]) -> dict[str, Any]:
    """Return a job with the related objects."""
    store, content = cloud.store, job_json(job)
    if cloud.scheduler_is_running:
        content |= _next_run_fields(job, cloud.clock.now())
    project = store.definitions.get(ProjectRecord, job.project_id)
    if "account" in include:
        account = store.definitions.get(AccountRecord, job.account_id)
        content["account"] = account_json(account, cloud.base_url) if account else None
    if "project" in include:
        content["project"] = project_json(project) if project else None
    if "environment" in include:
        content["environment"] = _environment_json(cloud, job.environment_id, project)
    for name, statuses in _RECENT.items():
        if name in include:
            newest = newest_run(cloud, job, statuses)
            content[name] = runs_with_related(cloud, [newest], frozenset())[0] if newest else None
    return content


def _environment_json(
    cloud: Cloud, environment_id: int, project: ProjectRecord | None
) -> dict[str, Any] | None:
    """Return the environment of a run or a job with its connection, or None if it is deleted."""
    environment = cloud.store.definitions.get(EnvironmentRecord, environment_id)
    if environment is None:
        return None
    return environment_json(environment, project, database=str(cloud.database(environment_id)))


class _Shared:
    """A cache of the jobs and environments that the runs of one page share."""

    def __init__(self, cloud: Cloud, now: int, newest: Mapping[int, int]) -> None:
        self.cloud, self.now, self.newest = cloud, now, newest
        self.job, self.environment = cache(self._job), cache(self._environment)

    def _job(self, job_id: int) -> dict[str, Any] | None:
        job = self.cloud.store.definitions.get(JobRecord, job_id)
        return nested_job_json(job) if job else None

    def _environment(self, environment_id: int, project_id: int) -> dict[str, Any] | None:
        project = self.cloud.store.definitions.get(ProjectRecord, project_id)
        return _environment_json(self.cloud, environment_id, project)


def _next_run_fields(job: JobRecord, now: int) -> dict[str, str | None]:
    instant = next_scheduled_time(job, now)
    ahead = None if instant is None else f"{humanise_duration(instant - now)} from now"
    return {"next_run": iso_timestamp(instant), "next_run_humanized": ahead}


def _run_with_related(run: RunRecord, include: frozenset[str], shared: _Shared) -> dict[str, Any]:
    cloud, now = shared.cloud, shared.now
    content = run_json(run, now, cloud.base_url, blocked_by=cloud.queue.blocked_by(run))
    if content["is_error"]:
        reason = RunRetry(cloud, run).refusal_reason(shared.newest.get(run.job_id))
        content["can_retry"], content["retry_not_supported_reason"] = reason is None, reason
    if "trigger" in include:
        content["trigger"] = trigger_json(run)
    if "job" in include:
        content["job"] = shared.job(run.job_id)
    if "environment" in include:
        content["environment"] = shared.environment(run.environment_id, run.project_id)
    if {"run_steps", "debug_logs"} & include:
        debug_logs = "debug_logs" in include
        content["run_steps"] = [step_json(step, now, debug_logs=debug_logs) for step in cloud.steps(run)]
    return {**content, **_rarely_included(cloud, run, include, now)}


def _rarely_included(cloud: Cloud, run: RunRecord, include: frozenset[str], now: int) -> dict[str, Any]:
    included: dict[str, Any] = {}
    if "repository" in include:
        included["repository"] = None
    if "audit" in include:
        included["audit"] = audit_json(run, now)
    if "run_retries" in include:
        query = RunQuery(run.account_id, job_ids=[run.job_id], retrying_run_ids=[run.id])
        retries, _ = cloud.store.runs.find(query, PageQuery(), now)
        included["run_retries"] = [run_json(each, now, cloud.base_url) for each in retries]
    return included

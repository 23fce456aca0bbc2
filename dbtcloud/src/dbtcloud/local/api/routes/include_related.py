"""The related objects of runs and jobs, which `include_related` names."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from dbtcloud.local.api.responses.definitions import (
    account_json,
    environment_json,
    job_json,
    project_json,
)
from dbtcloud.local.api.responses.runs import RunJson, step_json
from dbtcloud.local.model.clock import Duration, Timestamp
from dbtcloud.local.model.records import (
    AccountRecord,
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
)
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.retries import RunRetry
from dbtcloud.local.orchestration.schedule import next_scheduled_time
from dbtcloud.local.store.queries import PageQuery, RunQuery

_FINISHED = tuple(int(status) for status in Status if status.finished)
_RECENT = {"most_recent_run": None, "most_recent_completed_run": _FINISHED}


class RelatedObjects:
    """Runs and jobs in JSON, with the objects that a request includes.

    Args:
        cloud: the local dbt Cloud.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        # The runs of one page share a few jobs and environments.
        self._job_of_run, self._environment = cache(self._read_job), cache(self._read_environment)

    def run(self, run: RunRecord, include: Collection[str] = ()) -> dict[str, Any]:
        """Return a run with its related objects, and whether it can be retried."""
        return self.runs([run], include)[0]

    def started_run(self, run: RunRecord) -> dict[str, Any]:
        """Return a new run. dbt Cloud includes its trigger and its job."""
        return self.run(run, ("trigger", "job"))

    def runs(self, runs: Sequence[RunRecord], include: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return runs with their related objects, and whether each can be retried."""
        now = self._cloud.clock.now()
        failed = [run for run in runs if run.status(now) is Status.ERROR]
        newest = self._cloud.store.runs.latest_ids(run.job_id for run in failed)
        return [self._run(run, include, now, newest.get(run.job_id)) for run in runs]

    def job(self, job: JobRecord, include: Collection[str] = ()) -> dict[str, Any]:
        """Return a job with its related objects."""
        cloud, content = self._cloud, job_json(job)
        if cloud.scheduler_is_running:
            content |= _next_run_fields(job, cloud.clock.now())
        if "account" in include:
            account = cloud.store.definitions.get(AccountRecord, job.account_id)
            content["account"] = account_json(account, cloud.base_url) if account else None
        if "project" in include:
            project = cloud.store.definitions.get(ProjectRecord, job.project_id)
            content["project"] = project_json(project) if project else None
        if "environment" in include:
            content["environment"] = self._environment(job.environment_id, job.project_id)
        for name, statuses in _RECENT.items():
            if name in include:
                newest = self.newest_run(job, statuses)
                content[name] = self.run(newest) if newest else None
        return content

    def newest_run(self, job: JobRecord, statuses: Sequence[int] | None = None) -> RunRecord | None:
        """Return the newest run of a job, or None if it has none.

        Args:
            job: the job.
            statuses: the statuses that count, or None for all.
        """
        query = RunQuery(job.account_id, job_ids=[job.id], statuses=statuses)
        page = PageQuery(limit=1, order_by="-id")
        runs, _ = self._cloud.store.runs.find(query, page, self._cloud.clock.now())
        return runs[0] if runs else None

    def _run(self, run: RunRecord, include: Collection[str], now: int, newest: int | None) -> dict[str, Any]:
        cloud, run_json = self._cloud, RunJson(run, now, self._cloud.base_url)
        content = run_json.content(blocked_by=cloud.queue.blocked_by(run))
        if content["is_error"]:
            reason = RunRetry(cloud, run).refusal_reason(newest)
            content["can_retry"], content["retry_not_supported_reason"] = reason is None, reason
        if "trigger" in include:
            content["trigger"] = run_json.trigger()
        if "job" in include:
            content["job"] = self._job_of_run(run.job_id)
        if "environment" in include:
            content["environment"] = self._environment(run.environment_id, run.project_id)
        if "run_steps" in include or "debug_logs" in include:
            is_full, artifacts = "debug_logs" in include, RunArtifacts(cloud, run)
            content["run_steps"] = [
                step_json(step, now, artifacts.debug_log(step), is_full=is_full) for step in cloud.steps(run)
            ]
        # These fields are absent, not null, unless they are included.
        if "repository" in include:
            content["repository"] = None
        if "audit" in include:
            content["audit"] = run_json.audit()
        if "run_retries" in include:
            content["run_retries"] = self._retries(run, now)
        return content

    def _retries(self, run: RunRecord, now: int) -> list[dict[str, Any]]:
        query = RunQuery(run.account_id, job_ids=[run.job_id], retrying_run_ids=[run.id])
        retries, _ = self._cloud.store.runs.find(query, PageQuery(), now)
        return [RunJson(each, now, self._cloud.base_url).content() for each in retries]

    def _read_job(self, job_id: int) -> dict[str, Any] | None:
        job = self._cloud.store.definitions.get(JobRecord, job_id)
        return job_json(job, nested=True) if job else None

    def _read_environment(self, environment_id: int, project_id: int) -> dict[str, Any] | None:
        """Return an environment with its connection, or None if it is deleted."""
        definitions = self._cloud.store.definitions
        environment = definitions.get(EnvironmentRecord, environment_id)
        if environment is None:
            return None
        database = str(self._cloud.database(environment_id))
        return environment_json(environment, definitions.get(ProjectRecord, project_id), database=database)


def _next_run_fields(job: JobRecord, now: int) -> dict[str, str | None]:
    instant = next_scheduled_time(job, now)
    ahead = None if instant is None else f"{Duration(instant - now).humanised()} from now"
    return {"next_run": Timestamp.iso(instant), "next_run_humanized": ahead}

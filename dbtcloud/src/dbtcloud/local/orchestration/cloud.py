"""The local dbt Cloud itself: starting, retrying, cancelling runs and reading what became of them."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbtcloud.core import orphans
from dbtcloud.core.source import Source
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import (
    CANCELLED_BY_USER,
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
    StepRecord,
)
from dbtcloud.local.model.run_plan import DATABASE, ProjectSetup, RunPlan
from dbtcloud.local.orchestration.artifact_retention import DEFAULT_BYTES, ArtifactKeeper
from dbtcloud.local.orchestration.environment_variables import variables_of
from dbtcloud.local.orchestration.run_queue import Execute, RunQueue
from dbtcloud.local.orchestration.simulated_runs import Script, parse_script, steps_at
from dbtcloud.local.store.interface import Store
from dbtcloud.local.webhooks.sender import WebhookSender

_RUNS, _ENVIRONMENTS = "runs", "environments"


class Cloud:
    """State and rules behind the routes; it belongs to one event loop.

    Args:
        store: what is remembered.
        clock: the time.
        data_dir: where checkouts and artifacts of real runs lie.
        execute: runs real dbt.
        keep_artifacts: bytes that finished runs' files may take.
        base_url: the server's own address, without a slash at its end; runs' `href` begins with it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        data_dir: Path,
        execute: Execute,
        *,
        base_url: str,
        keep_artifacts: int = DEFAULT_BYTES,
    ) -> None:
        self.store, self.clock, self.base_url = store, clock, base_url
        self.data_dir = data_dir
        self.setups: dict[int, ProjectSetup] = {}
        keeper = ArtifactKeeper(data_dir / _RUNS, keep_artifacts)
        self.queue = RunQueue(store, clock, self.plan, execute, keeper.tidy)
        self.webhooks = WebhookSender(store, clock)
        self.runs_created = 0
        self.schedules_run = False
        self._read_script = lru_cache(maxsize=256)(lambda name: parse_script(store.runs.script(name)))

    def start(
        self,
        job: JobRecord,
        trigger: Mapping[str, Any],
        *,
        retrying: RunRecord | None = None,
        created_at: int | None = None,
    ) -> RunRecord:
        """Start a run of a job, now unless told otherwise: pretended if the job says so, else by real dbt."""
        run = self.new_run(job, trigger, created_at)
        if retrying is not None:
            run = replace(run, retrying_run_id=retrying.id)
        self.store.runs.add([run])
        self.runs_created += 1
        if run.script is None:
            shutil.rmtree(self.run_dir(run.id), ignore_errors=True)
            self.queue.submit(run)
        return run

    async def reset(self) -> None:
        """End what runs and forget everything, the files of real runs included."""
        await self.queue.stop()
        self.store.clear()
        self.clock.reset()
        self.webhooks.clear()
        self.runs_created = 0
        for folder in (_RUNS, _ENVIRONMENTS):
            shutil.rmtree(self.data_dir / folder, ignore_errors=True)

    def new_run(self, job: JobRecord, trigger: Mapping[str, Any], created_at: int | None = None) -> RunRecord:
        """Return what a run of this job is at first, without keeping it."""
        run = RunRecord(
            id=self.store.runs.next_id(),
            account_id=job.account_id,
            project_id=job.project_id,
            environment_id=job.environment_id,
            job_id=job.id,
            created_at=self.clock.now() if created_at is None else created_at,
            docs=_given(trigger.get("generate_docs_override"), job.generate_docs),
            sources=job.run_generate_sources,
            dbt_version=self._dbt_version(job, trigger),
            trigger=dict(trigger),
        )
        return run if job.pretend is None else self.pretended(run, parse_script(job.pretend))

    def _dbt_version(self, job: JobRecord, trigger: Mapping[str, Any]) -> str:
        environment = self.store.definitions.get(EnvironmentRecord, job.environment_id)
        of_environment = environment.dbt_version if environment else "latest"
        return str(trigger.get("dbt_version_override") or job.dbt_version or of_environment)

    def pretended(self, run: RunRecord, script: Script) -> RunRecord:
        """Return the run with its whole life laid out ahead of it."""
        dequeued, started, finished = script.instants(run.created_at)
        return replace(
            run,
            dequeued_at=dequeued,
            started_at=started,
            finished_at=finished,
            outcome=script.outcome,
            message=script.message,
            script=self.store.runs.save_script(asdict(script)),
        )

    def cancel(self, run: RunRecord) -> None:
        """Cancel a run; a finished one stays as it is."""
        now = self.clock.now()
        if run.status(now).finished:
            return
        if run.script is None:
            self.queue.cancel(run)
            return
        instants = {"dequeued_at": run.dequeued_at, "started_at": run.started_at}
        ahead = {name: None for name, instant in instants.items() if instant is not None and instant > now}
        self.store.runs.update(
            run.id, finished_at=now, outcome=int(Status.CANCELLED), message=CANCELLED_BY_USER, **ahead
        )

    def steps(self, run: RunRecord) -> list[StepRecord]:
        """Return the steps of a run as far as they have begun."""
        if run.script is None:
            return self.store.steps.for_run(run.id)
        return list(steps_at(run, self.script(run), self.clock.now()))

    def script(self, run: RunRecord) -> Script:
        """Return the life of a pretended run."""
        assert run.script is not None
        return self._read_script(run.script)

    def end_orphans(self) -> list[int]:
        """End the dbt processes that a killed server has left, and return their ids; it may take seconds.

        The profiles that those had go, too: they may hold a password.
        """
        ended: list[int] = []
        for folder in (self.data_dir / _ENVIRONMENTS).glob("*"):
            ended += orphans.end_all(folder / "processes")
            shutil.rmtree(folder / "profile", ignore_errors=True)
        return ended

    def run_dir(self, run_id: int) -> Path:
        """Return where a real run's artifacts lie."""
        return self.data_dir / _RUNS / str(run_id)

    def database(self, environment_id: int) -> Path:
        """Return the DuckDB file of an environment; it is there once a run of it has built something."""
        return self.work_dir(environment_id) / DATABASE

    def work_dir(self, environment_id: int) -> Path:
        """Return what belongs to an environment and stays."""
        return self.data_dir / _ENVIRONMENTS / str(environment_id)

    def plan(self, run: RunRecord) -> RunPlan:
        """Return what executing a real run takes; LookupError when its project has no sources here."""
        job, project = (
            self.store.definitions.get(JobRecord, run.job_id),
            self.store.definitions.get(ProjectRecord, run.project_id),
        )
        environment = self.store.definitions.get(EnvironmentRecord, run.environment_id)
        setup = self._setup(project)
        if job is None or environment is None or setup is None:
            raise LookupError(
                f"job {run.job_id} has no dbt project on this machine; serve its project with"
                " --project-dir or --git as before, or seed it with a project_dir"
            )
        asked = run.trigger
        own_target = environment.target_name if job.target_name == "default" else job.target_name
        return RunPlan(
            run_id=run.id,
            job_id=run.job_id,
            project_id=run.project_id,
            account_id=run.account_id,
            environment_id=run.environment_id,
            setup=setup,
            work_dir=self.work_dir(run.environment_id),
            run_dir=self.run_dir(run.id),
            steps=tuple(asked.get("steps_override") or job.execute_steps),
            generate_docs=run.docs,
            target_name=asked.get("target_name_override") or own_target,
            schema=asked.get("schema_override") or environment.schema,
            threads=_given(asked.get("threads_override"), job.threads),
            timeout_seconds=_given(asked.get("timeout_seconds_override"), job.timeout_seconds),
            retry_of=None if run.retrying_run_id is None else self.run_dir(run.retrying_run_id),
            generate_sources=run.sources,
            dbt_version=run.dbt_version,
            git_branch=asked.get("git_branch") or _own_branch(environment),
            git_sha=asked.get("git_sha"),
            variables=variables_of(self.store, job),
        )

    def _setup(self, project: ProjectRecord | None) -> ProjectSetup | None:
        if project is None:
            return None
        if project.id in self.setups:
            return self.setups[project.id]
        if project.project_dir is None:
            return None
        return ProjectSetup(Source(folder=Path(project.project_dir)), has_revisions=False)


def _own_branch(environment: EnvironmentRecord) -> str | None:
    return environment.custom_branch if environment.use_custom_branch else None


def _given(override: Any, otherwise: Any) -> Any:
    return otherwise if override is None else override

"""The local dbt Cloud: start, cancel and read runs, and delete definitions."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from dbtcloud.core.leftover_processes import ProcessFolder
from dbtcloud.core.private_files import make_private_folder
from dbtcloud.core.source import ProjectSource
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import (
    ACTIVE,
    CANCELLED_BY_USER,
    DELETED,
    EnvironmentRecord,
    EnvironmentVariable,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
    StepRecord,
)
from dbtcloud.local.model.run_plan import DATABASE, ProjectSetup, RunPlan
from dbtcloud.local.orchestration.artifact_retention import DEFAULT_RETENTION_BYTES, ArtifactRetention
from dbtcloud.local.orchestration.environment_variables import ProjectVariables
from dbtcloud.local.orchestration.run_queue import Execute, RunQueue
from dbtcloud.local.orchestration.simulated_runs import Script
from dbtcloud.local.store.database import Store
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery, RunQuery
from dbtcloud.local.webhooks.sender import WebhookSender

_RUNS, _ENVIRONMENTS = "runs", "environments"
_UNFINISHED = tuple(int(status) for status in Status if not status.finished)
# The column and the kinds of the definitions that are deleted together with one of this kind.
_CONTENTS: dict[type, tuple[str, tuple[type[EnvironmentRecord | JobRecord | EnvironmentVariable], ...]]] = {
    ProjectRecord: ("project_id", (EnvironmentRecord, JobRecord, EnvironmentVariable)),
    EnvironmentRecord: ("environment_id", (JobRecord, EnvironmentVariable)),
}

_D = TypeVar("_D", bound=ProjectRecord | EnvironmentRecord | JobRecord | EnvironmentVariable)


class Cloud:
    """The state and the rules of the server. All calls come from one event loop.

    Args:
        store: the definitions and runs.
        clock: the clock.
        data_dir: the folder for checkouts and artifacts of real runs.
        execute: executes real runs.
        keep_artifacts: the limit in bytes for the artifacts of finished runs.
        base_url: the address of the server without a trailing slash, for the `href` of runs.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        data_dir: Path,
        execute: Execute,
        *,
        base_url: str,
        keep_artifacts: int = DEFAULT_RETENTION_BYTES,
    ) -> None:
        self.store, self.clock, self.base_url = store, clock, base_url
        self.data_dir = data_dir
        self._make_private_folders()
        self.setups: dict[int, ProjectSetup] = {}
        retention = ArtifactRetention(data_dir / _RUNS, keep_artifacts)
        self.queue = RunQueue(store, clock, self.plan, execute, retention.delete_old)
        self.webhooks = WebhookSender(store, clock)
        self.runs_created, self.resets = 0, 0
        self.scheduler_is_running = False
        # A list may have thousands of runs with the same script.
        self._read_script = lru_cache(maxsize=256)(lambda name: Script.parse(store.runs.script(name)))

    def start(
        self,
        job: JobRecord,
        trigger: Mapping[str, Any],
        *,
        retrying: RunRecord | None = None,
        created_at: int | None = None,
    ) -> RunRecord:
        """Start a run of a job, which is simulated if the job has a script.

        Args:
            job: the job.
            trigger: the body of the request: the cause and the overrides.
            retrying: the run to retry.
            created_at: the creation time in microseconds. The default is now.
        """
        run = self.new_run(job, trigger, created_at)
        if retrying is not None:
            run = replace(run, retrying_run_id=retrying.id)
        self.store.runs.add([run])
        self.runs_created += 1
        if run.script is None:
            # If an earlier store was lost, its runs had the same ids.
            shutil.rmtree(self.run_dir(run.id), ignore_errors=True)
            self.queue.submit(run)
        return run

    def new_run(self, job: JobRecord, trigger: Mapping[str, Any], created_at: int | None = None) -> RunRecord:
        """Return a new run of a job, which is not yet in the store."""
        run = RunRecord(
            id=self.store.runs.next_id(),
            account_id=job.account_id,
            project_id=job.project_id,
            environment_id=job.environment_id,
            job_id=job.id,
            created_at=self.clock.now() if created_at is None else created_at,
            docs=_override(trigger.get("generate_docs_override"), job.generate_docs),
            sources=job.run_generate_sources,
            dbt_version=self._dbt_version(job, trigger),
            trigger=dict(trigger),
        )
        return run if job.pretend is None else self.simulate(run, Script.parse(job.pretend))

    def simulate(self, run: RunRecord, script: Script) -> RunRecord:
        """Return the run with the times and the outcome of its script."""
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
        """Cancel a run unless it is finished."""
        now = self.clock.now()
        if run.status(now).finished:
            return
        if run.script is None:
            self.queue.cancel(run)
            return
        instants = {"dequeued_at": run.dequeued_at, "started_at": run.started_at}
        # These would have been later than the end.
        ahead = {name: None for name, instant in instants.items() if instant is not None and instant > now}
        self.store.runs.update(
            run.id, finished_at=now, outcome=int(Status.CANCELLED), message=CANCELLED_BY_USER, **ahead
        )

    def delete(self, definition: _D) -> _D:
        """Delete a project, environment, job or variable with its contents, and cancel the runs of its jobs.

        As in dbt Cloud, the deleted definitions stay in the store with state 2.
        """
        deleted = replace(definition, state=DELETED, updated_at=self.clock.now())
        self.store.definitions.put(deleted)
        column, kinds = _CONTENTS.get(type(definition), ("", ()))
        for kind in kinds:
            query = DefinitionQuery(definition.account_id, [(column, [definition.id]), ("state", [ACTIVE])])
            for content in self.store.definitions.find(kind, query, PageQuery(limit=-1))[0]:
                self.delete(content)
        if isinstance(definition, JobRecord):
            self._cancel_all(definition)
        return deleted

    def steps(self, run: RunRecord) -> list[StepRecord]:
        """Return the steps of a run that have started."""
        if run.script is None:
            return self.store.steps.for_run(run.id)
        return list(self.script(run).steps_at(run, self.clock.now()))

    def script(self, run: RunRecord) -> Script:
        """Return the script of a simulated run."""
        assert run.script is not None
        return self._read_script(run.script)

    def plan(self, run: RunRecord) -> RunPlan:
        """Return the plan of a real run.

        Raises:
            LookupError: the project has no source on this machine.
        """
        definitions = self.store.definitions
        job = definitions.get(JobRecord, run.job_id)
        project = definitions.get(ProjectRecord, run.project_id)
        environment = definitions.get(EnvironmentRecord, run.environment_id)
        setup = self._setup(project)
        if job is None or environment is None or setup is None:
            raise LookupError(
                f"job {run.job_id} has no dbt project on this machine. Serve its project with"
                " --project-dir or --git as before, or seed it with a project_dir"
            )
        overrides = run.trigger
        default_target = environment.target_name if job.target_name == "default" else job.target_name
        return RunPlan(
            run_id=run.id,
            job_id=run.job_id,
            project_id=run.project_id,
            account_id=run.account_id,
            environment_id=run.environment_id,
            setup=setup,
            work_dir=self.work_dir(run.environment_id),
            run_dir=self.run_dir(run.id),
            steps=tuple(overrides.get("steps_override") or job.execute_steps),
            generate_docs=run.docs,
            target_name=overrides.get("target_name_override") or default_target,
            schema=overrides.get("schema_override") or environment.schema,
            threads=_override(overrides.get("threads_override"), job.threads),
            timeout_seconds=_override(overrides.get("timeout_seconds_override"), job.timeout_seconds),
            retry_of=None if run.retrying_run_id is None else self.run_dir(run.retrying_run_id),
            generate_sources=run.sources,
            dbt_version=run.dbt_version,
            git_branch=overrides.get("git_branch") or _custom_branch(environment),
            git_sha=overrides.get("git_sha"),
            variables=ProjectVariables(self.store, job.account_id, job.project_id).for_job(job),
        )

    def run_dir(self, run_id: int) -> Path:
        """Return the folder with the artifacts of a real run."""
        return self.data_dir / _RUNS / str(run_id)

    def work_dir(self, environment_id: int) -> Path:
        """Return the folder for the files of an environment."""
        return self.data_dir / _ENVIRONMENTS / str(environment_id)

    def database(self, environment_id: int) -> Path:
        """Return the DuckDB file of an environment, which exists after its first build."""
        return self.work_dir(environment_id) / DATABASE

    def end_leftover_processes(self) -> list[int]:
        """End the dbt processes that a killed server left running, and return their ids.

        This may take seconds. Their profiles are deleted, because they may contain a password.
        """
        ended: list[int] = []
        for folder in (self.data_dir / _ENVIRONMENTS).glob("*"):
            ended += ProcessFolder(folder / "processes").end_processes()
            shutil.rmtree(folder / "profile", ignore_errors=True)
        return ended

    async def reset(self) -> None:
        """Stop all runs, and delete everything with the files of real runs."""
        await self.queue.stop()
        self.store.clear()
        self.clock.reset()
        self.webhooks.clear()
        self.runs_created, self.resets = 0, self.resets + 1
        for folder in (_RUNS, _ENVIRONMENTS):
            shutil.rmtree(self.data_dir / folder, ignore_errors=True)
        self._make_private_folders()

    def _make_private_folders(self) -> None:
        # Logs, artifacts and databases are not for other users, even if they may read the data folder.
        for folder in (_RUNS, _ENVIRONMENTS):
            make_private_folder(self.data_dir / folder)

    def _cancel_all(self, job: JobRecord) -> None:
        query = RunQuery(job.account_id, job_ids=[job.id], statuses=_UNFINISHED)
        # The newest first. Otherwise, cancelling a run would start the run that waits for it.
        page = PageQuery(limit=-1, order_by="-id")
        for run in self.store.runs.find(query, page, self.clock.now())[0]:
            self.cancel(run)

    def _dbt_version(self, job: JobRecord, trigger: Mapping[str, Any]) -> str:
        environment = self.store.definitions.get(EnvironmentRecord, job.environment_id)
        of_environment = environment.dbt_version if environment else "latest"
        return str(trigger.get("dbt_version_override") or job.dbt_version or of_environment)

    def _setup(self, project: ProjectRecord | None) -> ProjectSetup | None:
        if project is None:
            return None
        if project.id in self.setups:
            return self.setups[project.id]
        if project.project_dir is None:
            return None
        return ProjectSetup(ProjectSource(folder=Path(project.project_dir)), has_revisions=False)


def _custom_branch(environment: EnvironmentRecord) -> str | None:
    return environment.custom_branch if environment.use_custom_branch else None


def _override(override: Any, default: Any) -> Any:
    return default if override is None else override

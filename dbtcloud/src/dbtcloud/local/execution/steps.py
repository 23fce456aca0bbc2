"""The steps of a run, with the names that dbt Cloud gives them."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core import command_line, process
from dbtcloud.core.environment import DbtEnvironment
from dbtcloud.core.profiles import DUCKDB_PROFILE_NAME, DuckDbProfile, UserProfile
from dbtcloud.core.project import DbtProject
from dbtcloud.core.project_copy import ProjectCopy
from dbtcloud.core.requirements import DUCKDB
from dbtcloud.core.runner_errors import RunnerError
from dbtcloud.local.execution.cancellation import StopRequest
from dbtcloud.local.model.run_plan import DATABASE, RunObserver, RunPlan

_Log = Callable[[str], None]

_PARTIAL_PARSE = "partial_parse.msgpack"
# dbt writes this file when it is interrupted, and then waits for its threads. A query that starts at that
# moment is not interrupted and would delay the end.
_FINAL_FILE = "run_results.json"
_FAILED_STEP_FILE = "failed_step.json"
_DEFAULT_THREADS = 4


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step.

    Attributes:
        name: The name in ``run_steps``.
        run: Runs the step with its index and a function for its log, and returns an exit code.
        command: The dbt command, or None for a step without one.
        fails_run: True if the run fails when the step fails.
    """

    name: str
    run: Callable[[int, _Log], Awaitable[int]]
    command: str | None = None
    fails_run: bool = True


@dataclass(frozen=True, slots=True)
class _RunProfile:
    """The profile of a run.

    Attributes:
        name: The name of the profile.
        target: The name of the target.
        adapter: The adapter package.
        connection: The name of the connection, as dbt Cloud shows it.
        lines: A description for the log, without secrets.
        profile: The profile to write.
    """

    name: str
    target: str
    adapter: str
    connection: str
    lines: tuple[str, ...]
    profile: DuckDbProfile | UserProfile

    @classmethod
    def resolve(cls, plan: RunPlan, folder: Path) -> "_RunProfile":
        """Return the profile of a run whose project is in ``folder``.

        Raises:
            InvalidDbtConfiguration: The profile or the target of the run does not exist, or ``folder`` has no
                dbt project.
        """
        return _user_profile(plan, folder) if plan.setup.uses_profile else _duckdb_profile(plan)


@dataclass(frozen=True, slots=True)
class _ProjectFolders:
    """The folders of a run's project.

    Attributes:
        source: The folder whose ``profiles.yml`` is used, if it has one.
        project: The folder whose ``dbt_project.yml`` dbt reads: a copy of the user's folder, or a checkout.
        working: The folder in which dbt runs, so that relative paths of databases and files start there. It
            is the user's folder if there is one.
    """

    source: Path
    project: Path
    working: Path


class RunSteps:
    """The steps of one run.

    Args:
        plan: The run.
        dbt: The environment with dbt.
        stop: Stops the running dbt process when it is set.
        observer: Receives the commit of the run.
    """

    def __init__(self, plan: RunPlan, dbt: DbtEnvironment, stop: StopRequest, observer: RunObserver) -> None:
        self._plan = plan
        self._dbt = dbt
        self._stop = stop
        self._observer = observer
        self._folders = _ProjectFolders(Path(), Path(), Path())
        self._profiles_dir = plan.work_dir / "profile"
        self._profile: dict[str, str] = {}
        self._steps = plan.steps

    def __iter__(self) -> Iterator[RunStep]:
        """Yield the steps in order, each after the one before it has run."""
        yield RunStep("Clone git repository", self._clone)
        yield self._profile_step()
        # Known only after the project is checked out.
        if DbtProject.has_packages(self._folders.project):
            yield self._invoke("dbt deps")
        # As in dbt Cloud, a failure of the source freshness or the docs does not fail the run.
        if self._plan.generate_sources:
            yield self._invoke("dbt source freshness", fails_run=False)
        yield from self._command_steps()
        if self._plan.generate_docs:
            yield self._invoke("dbt docs generate", fails_run=False)

    def clean_up(self) -> None:
        """Delete a copy of the user's profile, because it may contain a password."""
        if self._plan.setup.uses_profile:
            shutil.rmtree(self._profiles_dir, ignore_errors=True)

    def _command_steps(self) -> Iterator[RunStep]:
        failed = _FailedStep.read(self._plan.retry_of)
        if failed and (failed.can_be_retried or failed.position >= len(self._steps)):
            self._steps = failed.steps  # The job may have other commands now.
        for position, command in enumerate(self._steps):
            if failed and position < failed.position:
                continue
            # Without results, the failed command runs again from its start.
            if failed and position == failed.position and failed.can_be_retried:
                yield self._invoke("dbt retry", ("--state", str(failed.state)), position)
            else:
                yield self._invoke(command, (), position)

    def _invoke(
        self,
        command: str,
        options: tuple[str, ...] = (),
        position: int | None = None,
        *,
        fails_run: bool = True,
    ) -> RunStep:
        async def run(index: int, log: _Log) -> int:
            if position is not None:
                # Written before the command runs, because a step may also fail before dbt starts.
                _FailedStep(position, self._artifacts(index), self._steps).write(self._plan.run_dir)
            code = await self._run_dbt((*command_line.parse_command_line(command), *options), index, log)
            if code == 0:
                _FailedStep.delete(self._plan.run_dir)
            return code

        return RunStep(f"Invoke dbt with `{command}`", run, command, fails_run)

    async def _clone(self, _index: int, log: _Log) -> int:
        # If the store of the server was lost, run ids start again, and the folder may exist.
        await asyncio.to_thread(shutil.rmtree, self._plan.run_dir, ignore_errors=True)
        plan = self._plan
        revision = (plan.git_branch, plan.git_sha) if plan.setup.has_revisions else (None, None)
        if (plan.git_branch or plan.git_sha) and not plan.setup.has_revisions:
            log("This project has no git repository. The requested branch or commit has no effect.\n")
        fetched = await StopRequest.run_unless_set(
            self._stop.event, plan.setup.source.fetch(plan.work_dir, *revision)
        )
        if fetched is None:
            return 1
        if fetched.revision is None:
            copy = ProjectCopy(fetched.folder, plan.work_dir)
            count = await asyncio.to_thread(copy.refresh)
            log(f"Copied {count} files of {plan.setup.source} to {copy.folder}\n")
            project = copy.folder
        else:
            self._observer.checked_out(fetched.revision.branch, fetched.revision.sha)
            log(f"{fetched.revision.branch or 'Commit'} is {fetched.revision.sha}\n")
            await asyncio.to_thread(DbtProject.check, fetched.folder)
            log(f"Checked out to {fetched.folder}\n")
            project = fetched.folder
        working = plan.setup.source.folder or fetched.folder
        self._folders = _ProjectFolders(fetched.folder, project, working)
        log(f"dbt runs in {working}\n")
        return 0

    def _profile_step(self) -> RunStep:
        try:
            found = _RunProfile.resolve(self._plan, self._folders.source)
        except RunnerError as error:
            # Raised when the step runs, so that the error is in its log.
            return RunStep("Create profile", _raise(error))
        self._profile = {"DBT_PROFILE": found.name, "DBT_TARGET": found.target}
        name = f"Create profile from connection {found.connection}"
        return RunStep(name, lambda _, log: self._create_profile(found, log))

    async def _create_profile(self, found: _RunProfile, log: _Log) -> int:
        path = await asyncio.to_thread(found.profile.write, self._profiles_dir)
        log("".join(f"{line}\n" for line in (*found.lines, f"Written to {path}")))
        versions = [f"{name} {self._dbt.version(name)}" for name in ("dbt-core", found.adapter)]
        log(f"Using {', '.join(versions)} in {self._dbt.folder}\n")
        return 0

    async def _run_dbt(self, arguments: tuple[str, ...], index: int, log: _Log) -> int:
        artifacts = self._artifacts(index)
        await asyncio.to_thread(self._prepare_artifacts, artifacts)
        code = await process.run_process(
            [str(self._dbt.dbt), *arguments],
            cwd=self._folders.working,
            env=process.minimal_environment(self._variables(index), self._plan.setup.pass_env),
            output=log,
            stop=self._stop.event,
            final_file=artifacts / _FINAL_FILE,
            started=self._plan.processes.record,
        )
        await asyncio.to_thread(self._collect_artifacts, artifacts, parsed=code in (0, 1))
        return code

    def _prepare_artifacts(self, artifacts: Path) -> None:
        artifacts.mkdir(parents=True, exist_ok=True)
        if self._partial_parse.exists():
            shutil.copyfile(self._partial_parse, artifacts / _PARTIAL_PARSE)

    def _collect_artifacts(self, artifacts: Path, *, parsed: bool) -> None:
        partial_parse = artifacts / _PARTIAL_PARSE
        if parsed and partial_parse.exists():
            partial_parse.replace(self._partial_parse)
        partial_parse.unlink(missing_ok=True)
        shutil.copytree(artifacts, self._plan.run_dir / "target", dirs_exist_ok=True)

    @property
    def _partial_parse(self) -> Path:
        # It contains the absolute path of the project.
        digest = hashlib.sha256(os.fsencode(self._folders.project)).hexdigest()
        return self._plan.work_dir / f"{digest[:8]}.{_PARTIAL_PARSE}"

    def _artifacts(self, index: int) -> Path:
        return self._plan.run_dir / "steps" / str(index)

    def _variables(self, index: int) -> dict[str, str]:
        plan = self._plan
        ids = {
            "DBT_CLOUD_RUN_ID": str(plan.run_id),
            "DBT_CLOUD_JOB_ID": str(plan.job_id),
            "DBT_CLOUD_PROJECT_ID": str(plan.project_id),
            "DBT_CLOUD_ACCOUNT_ID": str(plan.account_id),
            "DBT_CLOUD_ENVIRONMENT_ID": str(plan.environment_id),
        }
        return {
            **plan.variables,
            **ids,
            # dbt writes variables with this prefix into metadata.env of every artifact.
            **{f"DBT_ENV_CUSTOM_ENV_{name}": value for name, value in ids.items()},
            **self._profile,
            "DBT_PROFILES_DIR": str(self._profiles_dir),
            "DBT_PROJECT_DIR": str(self._folders.project),
            "DBT_TARGET_PATH": str(self._artifacts(index)),
            "DBT_LOG_PATH": str(plan.run_dir / "logs" / str(index)),
            "DBT_USE_COLORS": "false",
        }


@dataclass(frozen=True, slots=True)
class _FailedStep:
    """The command at which a run failed, saved in the folder of the run for the run that retries it.

    Attributes:
        position: The index of the command in ``steps``, from 0.
        state: The folder with the artifacts of the step.
        steps: All commands of the run.
    """

    position: int
    state: Path
    steps: tuple[str, ...]

    @property
    def can_be_retried(self) -> bool:
        """True if ``dbt retry`` can be used. A project that does not compile leaves no results for it."""
        return (self.state / "run_results.json").exists()

    def write(self, run_dir: Path) -> None:
        """Save the step for the run that retries this one."""
        content = {"position": self.position, "step": self.state.name, "steps": self.steps}
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / _FAILED_STEP_FILE).write_text(json.dumps(content), encoding="utf-8")

    @staticmethod
    def delete(run_dir: Path) -> None:
        """Delete the saved step after the step has succeeded."""
        (run_dir / _FAILED_STEP_FILE).unlink(missing_ok=True)

    @classmethod
    def read(cls, run_dir: Path | None) -> "_FailedStep | None":
        """Return the failed step of an earlier run, or None if there is none."""
        if run_dir is None or not (run_dir / _FAILED_STEP_FILE).exists():
            return None
        content = json.loads((run_dir / _FAILED_STEP_FILE).read_text(encoding="utf-8"))
        return cls(content["position"], run_dir / "steps" / content["step"], tuple(content["steps"]))


def _raise(error: RunnerError) -> Callable[[int, _Log], Awaitable[int]]:
    async def run(_index: int, _log: _Log) -> int:
        raise error

    return run


def _user_profile(plan: RunPlan, folder: Path) -> _RunProfile:
    found = UserProfile.find(folder, plan.setup.profiles_dir)
    target = (
        found.target if plan.target_name == "default" and "default" not in found.outputs else plan.target_name
    )
    profile = found.with_overrides(target, plan.schema, plan.threads)
    threads = profile.threads(target) or "default"
    line = f"Profile {found.name} in {found.file}: target {target}, {threads} threads"
    return _RunProfile(
        found.name, target, found.adapter(target), found.connection_name(target), (line,), profile
    )


def _duckdb_profile(plan: RunPlan) -> _RunProfile:
    profile = DuckDbProfile(
        database=plan.work_dir / DATABASE,
        target_name=plan.target_name,
        schema=plan.schema or plan.target_name,
        threads=plan.threads or _DEFAULT_THREADS,
    )
    line = f"Target {profile.target_name}, schema {profile.schema}, {profile.threads} threads"
    return _RunProfile(
        DUCKDB_PROFILE_NAME,
        plan.target_name,
        DUCKDB,
        "DuckDB",
        (line, f"DuckDB file: {profile.database}"),
        profile,
    )

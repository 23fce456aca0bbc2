"""The steps of a run, as dbt Cloud names them, and how each is really done."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core import checkout, commands, orphans, process
from dbtcloud.core.environment import DbtEnvironment
from dbtcloud.core.runner_errors import RunnerError
from dbtcloud.local.execution.cancellation import Stop, unless_set
from dbtcloud.local.execution.failure import Failure
from dbtcloud.local.execution.profile import RunProfile, profile_of
from dbtcloud.local.model.run_plan import RunObserver, RunPlan

Log = Callable[[str], None]

_PARTIAL_PARSE = "partial_parse.msgpack"
# An interrupted dbt first writes this, then waits for its threads; a query that begins just then is not
# interrupted and would hold it up.
_KEEPSAKE = "run_results.json"


@dataclass(frozen=True, slots=True)
class DbtStep:
    """One step.

    Attributes:
        name: As it stands in ``run_steps``.
        act: Does the step of the given index, with a place for its log; returns an exit code.
        command: dbt's command line, None where dbt is not called.
        decisive: Whether its failure fails the run.
    """

    name: str
    act: Callable[[int, Log], Awaitable[int]]
    command: str | None = None
    decisive: bool = True


class DbtSteps:
    """The steps of one run.

    Args:
        plan: The run.
        dbt: Where dbt is installed.
        stop: Ends the dbt process that is running when it is set.
        observer: Is told which commit is run.
    """

    def __init__(self, plan: RunPlan, dbt: DbtEnvironment, stop: Stop, observer: RunObserver) -> None:
        self._plan = plan
        self._dbt = dbt
        self._stop = stop
        self._observer = observer
        self._sources = Path()
        self._project = plan.work_dir / "checkout"
        self._profiles_dir = plan.work_dir / "profile"
        self._profile: dict[str, str] = {}
        self._partial_parse = plan.work_dir / _PARTIAL_PARSE
        self._steps = plan.steps

    def __iter__(self) -> Iterator[DbtStep]:
        """Yield what is next; whether there are packages is known only once the project is there."""
        yield DbtStep("Clone git repository", self._clone)
        yield self._profile_step()
        if checkout.has_packages(self._project):
            yield self._invoke("dbt deps")
        if self._plan.generate_sources:
            yield self._invoke("dbt source freshness", decisive=False)
        yield from self._chain()
        if self._plan.generate_docs:
            yield self._invoke("dbt docs generate", decisive=False)

    def tidy(self) -> None:
        """Take the profile away again: the user's own may hold a password."""
        if self._plan.setup.own_profile:
            shutil.rmtree(self._profiles_dir, ignore_errors=True)

    def _chain(self) -> Iterator[DbtStep]:
        failure = Failure.read(self._plan.retry_of)
        if failure and (failure.can_be_retried or failure.position >= len(self._steps)):
            self._steps = failure.steps  # its job may have other ones by now
        for position, command in enumerate(self._steps):
            if failure and position < failure.position:
                continue
            if failure and position == failure.position and failure.can_be_retried:
                yield self._invoke("dbt retry", ("--state", str(failure.state)), position)
            else:
                yield self._invoke(command, (), position)

    def _invoke(
        self, command: str, more: tuple[str, ...] = (), position: int | None = None, *, decisive: bool = True
    ) -> DbtStep:
        async def act(index: int, log: Log) -> int:
            if position is not None:
                # Before it is known: a step may also fail by never reaching dbt.
                Failure(position, self._artifacts(index), self._steps).write(self._plan.run_dir)
            code = await self._run_dbt((*commands.parse(command), *more), index, log)
            if code == 0:
                Failure.forget(self._plan.run_dir)
            return code

        return DbtStep(f"Invoke dbt with `{command}`", act, command, decisive)

    async def _clone(self, _index: int, log: Log) -> int:
        # A server whose store was lost counts its runs from the beginning again.
        await asyncio.to_thread(shutil.rmtree, self._plan.run_dir, ignore_errors=True)
        plan = self._plan
        asked = (plan.git_branch, plan.git_sha) if plan.setup.has_revisions else (None, None)
        if (plan.git_branch or plan.git_sha) and not plan.setup.has_revisions:
            log("This project is a folder and no repository: the branch or commit asked for has no effect.\n")
        fetched = await unless_set(self._stop.event, plan.setup.source.fetch(plan.work_dir, *asked))
        if fetched is None:
            return 1
        if fetched.revision is not None:
            self._observer.checked_out(fetched.revision.branch, fetched.revision.sha)
            log(f"{fetched.revision.branch or 'Commit'} is {fetched.revision.sha}\n")
        self._sources = fetched.folder
        count = await asyncio.to_thread(checkout.refresh, fetched.folder, self._project, fetched.root)
        log(f"{count} files of {plan.setup.source} are in {self._project}\n")
        return 0

    def _profile_step(self) -> DbtStep:
        try:
            found = profile_of(self._plan, self._sources)
        except RunnerError as error:
            return DbtStep("Create profile", _refusal(error))
        self._profile = {"DBT_PROFILE": found.name, "DBT_TARGET": found.target}
        name = f"Create profile from connection {found.connection}"
        return DbtStep(name, lambda _, log: self._create_profile(found, log))

    async def _create_profile(self, found: RunProfile, log: Log) -> int:
        path = await asyncio.to_thread(found.profile.write, self._profiles_dir)
        log("".join(f"{line}\n" for line in (*found.lines, f"Written to {path}")))
        versions = [f"{name} {self._dbt.version(name)}" for name in ("dbt-core", found.adapter)]
        log(f"Using {', '.join(versions)} in {self._dbt.folder}\n")
        return 0

    async def _run_dbt(self, arguments: tuple[str, ...], index: int, log: Log) -> int:
        artifacts = self._artifacts(index)
        await asyncio.to_thread(self._lay_out, artifacts)
        code = await process.run(
            [str(self._dbt.dbt), *arguments],
            cwd=self._project,
            env=process.bare_environment(self._variables(index), self._plan.setup.pass_env),
            output=log,
            stop=self._stop.event,
            keepsake=artifacts / _KEEPSAKE,
            started=lambda pid: orphans.recorded(self._plan.processes, pid),
        )
        await asyncio.to_thread(self._keep, artifacts, parsed=code in (0, 1))
        return code

    def _lay_out(self, artifacts: Path) -> None:
        artifacts.mkdir(parents=True, exist_ok=True)
        if self._partial_parse.exists():
            shutil.copyfile(self._partial_parse, artifacts / _PARTIAL_PARSE)

    def _keep(self, artifacts: Path, *, parsed: bool) -> None:
        made = artifacts / _PARTIAL_PARSE
        if parsed and made.exists():
            made.replace(self._partial_parse)
        made.unlink(missing_ok=True)
        shutil.copytree(artifacts, self._plan.run_dir / "target", dirs_exist_ok=True)

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
            # dbt writes variables of this prefix into metadata.env of every artifact.
            **{f"DBT_ENV_CUSTOM_ENV_{name}": value for name, value in ids.items()},
            **self._profile,
            "DBT_PROFILES_DIR": str(self._profiles_dir),
            "DBT_PROJECT_DIR": str(self._project),
            "DBT_TARGET_PATH": str(self._artifacts(index)),
            "DBT_LOG_PATH": str(plan.run_dir / "logs" / str(index)),
            "DBT_USE_COLORS": "false",
        }


def _refusal(error: RunnerError) -> Callable[[int, Log], Awaitable[int]]:
    async def act(_index: int, _log: Log) -> int:
        raise error

    return act

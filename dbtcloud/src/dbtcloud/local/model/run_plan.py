"""The plan of a run, the observer of its execution, and its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dbtcloud.core.leftover_processes import ProcessFolder
from dbtcloud.core.requirements import DUCKDB
from dbtcloud.core.source import ProjectSource

DATABASE = "warehouse.duckdb"
"""The DuckDB file in a `work_dir`."""


@dataclass(frozen=True, slots=True)
class ProjectSetup:
    """The settings of a project for the execution of its runs on this machine. The API does not show them.

    Attributes:
        source: the source of the project's files.
        adapters: the packages of dbt's adapters.
        packages: further packages to install beside dbt, for Python models.
        uses_profile: whether to use the user's ``profiles.yml`` instead of a DuckDB file.
        profiles_dir: the folder of ``profiles.yml``. None searches where dbt does.
        pass_env: the names of further environment variables that dbt sees.
        has_revisions: whether a run can check out another branch or commit. If not, they are ignored.
    """

    source: ProjectSource
    adapters: tuple[str, ...] = (DUCKDB,)
    packages: tuple[str, ...] = ()
    uses_profile: bool = False
    profiles_dir: Path | None = None
    pass_env: tuple[str, ...] = ()
    has_revisions: bool = True


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything that the execution of a run needs.

    Attributes:
        run_id: the id of the run. dbt gets it, and the four ids after it, as environment variables.
        job_id: the id of the job.
        project_id: the id of the project.
        account_id: the id of the account.
        environment_id: the id of the environment.
        setup: how to execute the runs of the project.
        work_dir: the environment's lasting folder: checkout, profile, DuckDB file, partial parse.
        run_dir: the run's folder: ``target`` (each step overwrites it), ``steps/<index>``, ``logs``.
        steps: the dbt commands, from the job's ``execute_steps`` or the trigger's ``steps_override``.
        generate_docs: whether to run ``dbt docs generate`` after the commands.
        target_name: ``{{ target.name }}``.
        schema: ``{{ target.schema }}``; None takes the target's name.
        threads: dbt's threads; None is dbt Cloud's default of 4.
        timeout_seconds: after how many seconds of running the run is cancelled; 0 is no limit.
        retry_of: the ``run_dir`` of the failed run that this one retries, or None.
        generate_sources: whether to run ``dbt source freshness`` before the commands.
        dbt_version: the version of dbt, as dbt Cloud spells it; None is the newest one that can be installed.
        git_branch: the branch to check out, or None for that of the project.
        git_sha: the commit to check out, or None for the newest one of the branch.
        variables: the environment variables of the project, the environment and the job.
    """

    run_id: int
    job_id: int
    project_id: int
    account_id: int
    environment_id: int
    setup: ProjectSetup
    work_dir: Path
    run_dir: Path
    steps: tuple[str, ...]
    generate_docs: bool
    target_name: str
    schema: str | None
    threads: int | None
    timeout_seconds: int
    retry_of: Path | None
    generate_sources: bool = False
    dbt_version: str | None = None
    git_branch: str | None = None
    git_sha: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def processes(self) -> ProcessFolder:
        """The records of the dbt processes of this environment."""
        return ProcessFolder(self.work_dir / "processes")


class RunObserver(Protocol):
    """Receives the events of an execution as they happen, on its event loop."""

    def starting(self) -> None:
        """Record that the run has left the queue (status 2)."""

    def running(self) -> None:
        """Record that the first step is about to start (status 3)."""

    def checked_out(self, branch: str | None, sha: str) -> None:
        """Record the commit that was checked out."""

    def step_started(self, index: int, name: str, command: str | None) -> None:
        """Record the start of a step.

        Args:
            index: The index of the step, from 1.
            name: The name of the step, as dbt Cloud words it.
            command: The dbt command, or None for a step without one.
        """

    def step_log(self, index: int, text: str) -> None:
        """Record a part of a step's output, with its line ends."""

    def step_finished(self, index: int, status: int) -> None:
        """Record the end of a step, with status 10, 20 or 30."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: status 10, 20 or 30, and its ``status_message``."""

    status: int
    message: str | None

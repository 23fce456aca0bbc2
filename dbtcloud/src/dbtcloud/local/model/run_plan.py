"""What an execution is given, what it tells meanwhile, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dbtcloud.core.requirements import DUCKDB
from dbtcloud.core.source import Source

DATABASE = "warehouse.duckdb"
"""The DuckDB file in a `work_dir`."""


@dataclass(frozen=True, slots=True)
class ProjectSetup:
    """How the runs of a project are executed on this machine; the API shows nothing of it.

    Attributes:
        source: Where the project's files come from.
        adapters: The packages that dbt needs beside itself.
        own_profile: Whether the user's ``profiles.yml`` counts; otherwise runs get a DuckDB file.
        profiles_dir: The folder of it; None looks where dbt does.
        pass_env: Names of environment variables that dbt sees beside the usual ones.
        has_revisions: Whether a run may be of another branch or commit; otherwise asking has no effect.
    """

    source: Source
    adapters: tuple[str, ...] = (DUCKDB,)
    own_profile: bool = False
    profiles_dir: Path | None = None
    pass_env: tuple[str, ...] = ()
    has_revisions: bool = True


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All that is to be known for executing a run.

    Attributes:
        run_id: The run's id; like the four ids after it, it reaches dbt as an environment variable.
        job_id: The job's id.
        project_id: The project's id.
        account_id: The account's id.
        environment_id: The environment's id.
        setup: How runs of the project are executed.
        work_dir: Belongs to the environment and stays: checkout, profile, DuckDB file, partial parse.
        run_dir: Belongs to the run: ``target`` (the last step's artifacts win), ``steps/<index>``, ``logs``.
        steps: dbt commands as a job's ``execute_steps`` or the trigger's ``steps_override`` give them.
        generate_docs: Whether ``dbt docs generate`` follows the commands.
        target_name: ``{{ target.name }}``.
        schema: ``{{ target.schema }}``; None takes the target's name.
        threads: dbt's threads; None is dbt Cloud's default of 4.
        timeout_seconds: The run is cancelled after so many seconds of running; 0 is no limit.
        retry_of: ``run_dir`` of the failed run that this one takes up at the point of its failure.
        generate_sources: Whether ``dbt source freshness`` precedes the commands.
        dbt_version: Which dbt, as dbt Cloud writes it; None is the newest that can be installed.
        git_branch: The branch to run, where it is not the project's usual one.
        git_sha: The commit to run.
        variables: The environment variables that the project, the environment and the job give dbt.
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
    def processes(self) -> Path:
        """The folder that tells which dbt process runs in this environment."""
        return self.work_dir / "processes"


class RunObserver(Protocol):
    """Is told what happens, when it happens, on the event loop of :func:`execute`."""

    def starting(self) -> None:
        """The run has left the queue (status 2)."""

    def running(self) -> None:
        """The first step is about to start (status 3)."""

    def checked_out(self, branch: str | None, sha: str) -> None:
        """The project's files are those of this commit."""

    def step_started(self, index: int, name: str, command: str | None) -> None:
        """A step begins; ``index`` counts from 1, ``command`` is dbt's command line or None."""

    def step_log(self, index: int, text: str) -> None:
        """A piece of the step's output, line ends included, has come."""

    def step_finished(self, index: int, status: int) -> None:
        """The step has ended in 10, 20 or 30."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: status 10, 20 or 30, and its ``status_message``."""

    status: int
    message: str | None

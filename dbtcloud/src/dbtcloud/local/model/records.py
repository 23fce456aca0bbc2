"""What the server keeps: accounts, projects, environments, jobs, runs and their steps.

A run is four instants and an outcome; its status follows from them and the clock. A run that real dbt
executes gets each instant when it happens; a pretended run has them all from the start, lying ahead.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar


class Status(IntEnum):
    """The status codes of runs and steps (dbt Cloud Admin API v2, `RunResponse.status`)."""

    QUEUED = 1
    STARTING = 2
    RUNNING = 3
    SUCCESS = 10
    ERROR = 20
    CANCELLED = 30

    @property
    def finished(self) -> bool:
        """Whether nothing follows this status."""
        return self >= Status.SUCCESS


CANCELLED_BY_USER = "Cancelled by user."
"""The message of a run that was cancelled over the API."""

ACTIVE, DELETED = 1, 2
"""The two values of `state` that definitions carry."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account: the owner of everything else."""

    kind: ClassVar[str] = "Account"

    id: int
    name: str
    state: int = ACTIVE
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project; `project_dir` is where its dbt sources lie on this machine, None if it has none.

    `shown` holds fields that are kept and given back, and have no effect here.
    """

    kind: ClassVar[str] = "Project"

    id: int
    name: str
    account_id: int = 1
    project_dir: str | None = None
    description: str | None = None
    dbt_project_subdirectory: str | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    state: int = ACTIVE
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """An environment: a target, a schema and a database file, shared by the jobs in it."""

    kind: ClassVar[str] = "Environment"

    id: int
    name: str
    account_id: int = 1
    project_id: int = 1
    target_name: str = "default"
    schema: str | None = None
    deployment_type: str | None = None
    dbt_version: str = "latest"
    type: str = "deployment"
    use_custom_branch: bool = False
    custom_branch: str | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    state: int = ACTIVE
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job; with `pretend` its runs are acted by the clock and no dbt process starts.

    `schedule`, `triggers` and `job_completion_trigger_condition` are as the API spells them.
    """

    kind: ClassVar[str] = "Job"

    id: int
    name: str
    account_id: int = 1
    project_id: int = 1
    environment_id: int = 1
    description: str = ""
    execute_steps: tuple[str, ...] = ("dbt build",)
    generate_docs: bool = False
    threads: int = 4
    target_name: str = "default"
    timeout_seconds: int = 0
    job_type: str = "other"
    dbt_version: str | None = None
    pretend: dict[str, Any] | None = None
    run_generate_sources: bool = False
    schedule: dict[str, Any] = field(default_factory=dict)
    triggers: dict[str, Any] = field(default_factory=dict)
    job_completion_trigger_condition: dict[str, Any] | None = None
    deferring_environment_id: int | None = None
    deferring_job_definition_id: int | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    state: int = ACTIVE
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """A value of a variable for a whole project, an environment, a job or (to no effect here) a user.

    `type` is `project`, `environment`, `job` or `user`; the id of that name is set, the others are None.
    """

    kind: ClassVar[str] = "EnvironmentVariable"

    id: int
    name: str
    value: str = field(repr=False)
    type: str = "project"
    account_id: int = 1
    project_id: int = 1
    environment_id: int | None = None
    job_definition_id: int | None = None
    user_id: int | None = None
    state: int = ACTIVE
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class WebhookSubscription:
    """Who wants to be told of which runs; no `job_ids` is all jobs. Deliveries are signed with the secret."""

    kind: ClassVar[str] = "WebhookSubscription"

    id: int
    name: str
    client_url: str
    event_types: tuple[str, ...]
    secret: str = field(repr=False)
    account_id: int = 1
    description: str = ""
    job_ids: tuple[int, ...] = ()
    active: bool = True
    http_status_code: int = 0
    failures: int = 0
    deactivate_reason: str | None = None
    dispatched_at: int | None = None
    state: int = ACTIVE
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: what was asked (`trigger`: cause and overrides), its instants in microseconds, its outcome.

    `git_branch` and `git_sha` are what was really checked out, known once that is done.
    `script` names the life of a pretended run; None means that real dbt executes it.
    """

    id: int
    account_id: int
    project_id: int
    environment_id: int
    job_id: int
    created_at: int
    dequeued_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    outcome: int | None = None
    message: str | None = None
    retrying_run_id: int | None = None
    docs: bool = False
    script: str | None = None
    sources: bool = False
    dbt_version: str | None = None
    git_branch: str | None = None
    git_sha: str | None = None
    trigger: dict[str, Any] = field(default_factory=dict)

    def status(self, now: int) -> Status:
        """Return the status at the instant `now`."""
        if self.finished_at is not None and self.finished_at <= now:
            return Status(self.outcome or Status.ERROR)
        if self.started_at is not None and self.started_at <= now:
            return Status.RUNNING
        if self.dequeued_at is not None and self.dequeued_at <= now:
            return Status.STARTING
        return Status.QUEUED


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a run: index from 1, status, instants in microseconds, log text."""

    run_id: int
    account_id: int
    index: int
    name: str
    status: Status
    command: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    logs: str = ""

    @property
    def id(self) -> int:
        """The step's number across all runs, from which the run and the index can be told again."""
        return self.run_id * STEPS_PER_RUN + self.index


STEPS_PER_RUN = 100
"""Room for step numbers within a run: `divmod(step_id, STEPS_PER_RUN)` is (run id, index)."""

Definition = (
    AccountRecord | ProjectRecord | EnvironmentRecord | JobRecord | EnvironmentVariable | WebhookSubscription
)
"""What is set up once and then run: everything but runs and steps. The store keeps each under its `kind`."""

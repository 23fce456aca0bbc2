"""The records of the store: accounts, projects, environments, jobs, runs and their steps.

A run has four instants and an outcome. Its status follows from them and the clock. A run of real dbt gets
each instant when it happens. A simulated run gets all of them when it is created.
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
        """True if the status is final."""
        return self >= Status.SUCCESS


CANCELLED_BY_USER = "Cancelled by user."
"""The message of a run that was cancelled over the API."""

ACTIVE, DELETED = 1, 2
"""The two values of a definition's `state`."""

# The API never shows values of these variables (dbt docs: "Environment variables").
_SECRET_PREFIX = "DBT_ENV_SECRET"  # noqa: S105 - a prefix of names
_HIDDEN = "**********"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account, which owns everything else."""

    kind: ClassVar[str] = "Account"

    id: int
    name: str
    state: int = ACTIVE
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project.

    `project_dir` is the folder of its dbt project on this machine, None if it has none. `shown` holds fields
    that have no effect here: the API stores them and shows them again.
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
    """An environment: a target, a schema and a database file, shared by its jobs."""

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
    """A job.

    With `pretend`, a script, its runs are simulated: the clock decides their statuses, and no dbt process
    starts. `schedule`, `triggers` and `job_completion_trigger_condition` have the form of the API.
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
    """The value of an environment variable in one scope.

    `type` is the scope: `project`, `environment`, `job`, or `user`, which has no effect here. The id of that
    scope is set, the others are None.
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

    @property
    def shown_value(self) -> str:
        """The value as the API shows it."""
        return _HIDDEN if self.name.startswith(_SECRET_PREFIX) else self.value

    def applies_to(self, job: JobRecord) -> bool:
        """Return True for a variable of the job, of its environment, or of the whole project."""
        return (
            self.type == "project"
            or (self.type == "environment" and self.environment_id == job.environment_id)
            or (self.type == "job" and self.job_definition_id == job.id)
        )


@dataclass(frozen=True, slots=True)
class WebhookSubscription:
    """A webhook subscription.

    Empty `job_ids` means all jobs. Requests to the subscriber are signed with the secret.
    """

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
    """A run: its trigger (cause and overrides), its instants in microseconds, and its outcome.

    `git_branch` and `git_sha` name the commit that was checked out, once that has happened. `script` names
    the script of a simulated run; None means that real dbt executes the run.
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
        """Return the status at an instant."""
        if self.finished_at is not None and self.finished_at <= now:
            return Status(self.outcome or Status.ERROR)
        if self.started_at is not None and self.started_at <= now:
            return Status.RUNNING
        if self.dequeued_at is not None and self.dequeued_at <= now:
            return Status.STARTING
        return Status.QUEUED


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run: its index from 1, its status, its instants in microseconds, its log."""

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
        """The id of the step, which contains the run id and the index."""
        return self.run_id * STEPS_PER_RUN + self.index


STEPS_PER_RUN = 100
"""The number of step ids for each run: `divmod(step_id, STEPS_PER_RUN)` is (run id, index)."""

Definition = (
    AccountRecord | ProjectRecord | EnvironmentRecord | JobRecord | EnvironmentVariable | WebhookSubscription
)
"""A record that users define: everything but runs and steps. The store keeps each under its `kind`."""

"""The objects of dbt Cloud's API: accounts, projects, environments, jobs, runs and steps.

Each object is parsed once, when it arrives. Its `data` holds everything that dbt Cloud sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self

from dbtcloud.client.data_fields import DataField
from dbtcloud.client.errors import MalformedResponse, NotRetryable, RunCancelled, RunFailed
from dbtcloud.client.run_status import FINISHED, RunStatus
from dbtcloud.client.typed_json import TypedFields

Json = Mapping[str, Any]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_REFUSALS: Mapping[str, str] = {
    "RETRY_UNSUPPORTED_CMD": "dbt cannot retry the command that failed",
    "RETRY_UNSUPPORTED_VERSION": "its dbt version cannot retry; dbt 1.6 and later can",
    "RETRY_NOT_LATEST_RUN": "its job has been started again since, and only the latest run can be retried",
    "RETRY_NOT_FAILED_RUN": "it did not end in error",
    "RETRY_NO_RUN_RESULTS": "it has no run_results.json, for example because the project does not compile",
}
"""Explanations of a run's `retry_not_supported_reason` (API v2, "Retrieve Run")."""

_LATER_FIELDS = {
    "retrying_run_id": TypedFields.integer,
    "can_retry": TypedFields.boolean,
    "retry_not_supported_reason": TypedFields.text,
}
"""Fields of a run that are read from its `data` when they are needed."""


@dataclass(frozen=True, slots=True)
class _NamedObject:
    """An object with a numeric id and a name."""

    _kind: ClassVar[str]

    id: int
    name: str
    data: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse the object from the API's JSON.

        Raises:
            MalformedResponse: If it has no id, or a field has an unexpected type.
        """
        fields = TypedFields(data, cls._kind)
        return cls(fields.required_integer("id"), fields.text("name") or "", data)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that dbt Cloud sent, as plain JSON values."""
        return dict(self.data)


class Account(_NamedObject):
    """An account ("Retrieve Account")."""

    __slots__ = ()
    _kind = "an account"

    plan = DataField(str)
    state = DataField(int)
    run_slots = DataField(int)
    created_at = DataField(datetime)


class Project(_NamedObject):
    """A project ("Retrieve Project")."""

    __slots__ = ()
    _kind = "a project"

    account_id = DataField(int)
    description = DataField(str)
    dbt_project_subdirectory = DataField(str)
    state = DataField(int)
    created_at = DataField(datetime)
    updated_at = DataField(datetime)


class Environment(_NamedObject):
    """An environment of a project ("Retrieve Environment")."""

    __slots__ = ()
    _kind = "an environment"

    account_id = DataField(int)
    project_id = DataField(int)
    type = DataField(str)
    deployment_type = DataField(str)
    dbt_version = DataField(str)
    custom_branch = DataField(str)
    state = DataField(int)
    created_at = DataField(datetime)
    updated_at = DataField(datetime)


class Job(_NamedObject):
    """A job ("Retrieve Job").

    Attributes:
        scheduled: Whether its schedule starts it.
        threads: How many threads dbt has.
        timeout_seconds: Seconds after which dbt Cloud cancels a run; 0 for none.
        cron: Its schedule as a cron expression in UTC, whether or not it is scheduled.
        next_run: When its schedule starts it next.
    """

    __slots__ = ()
    _kind = "a job"

    account_id = DataField(int)
    project_id = DataField(int)
    environment_id = DataField(int)
    description = DataField(str)
    dbt_version = DataField(str)
    execute_steps = DataField(list[str])
    generate_docs = DataField(bool)
    job_type = DataField(str)
    scheduled = DataField(bool, "triggers.schedule")
    threads = DataField(int, "settings.threads")
    target_name = DataField(str, "settings.target_name")
    timeout_seconds = DataField(int, "execution.timeout_seconds")
    cron = DataField(str, "schedule.cron")
    next_run = DataField(datetime)
    deferring_environment_id = DataField(int)
    deferring_job_definition_id = DataField(int)
    state = DataField(int)
    created_at = DataField(datetime)
    updated_at = DataField(datetime)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run (`include_related=["run_steps"]`).

    Attributes:
        index: Position in the run, from 1.
        name: Such as "Invoke dbt with `dbt build`".
        status: The status code, as that of a run.
        logs: The console output of the step, or None if `run_steps` was not included.
        debug_logs: dbt's debug log of the step, or its last 1,000 lines if `debug_logs` was not included.
    """

    index: int
    name: str
    status: int
    logs: str | None = field(default=None, repr=False)
    debug_logs: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse a step from the API's JSON.

        Raises:
            MalformedResponse: If it has no index, or a field has an unexpected type.
        """
        fields = TypedFields(data, "a step")
        index, status = fields.required_integer("index"), fields.integer("status")
        debug_logs = fields.text("debug_logs") or fields.text("truncated_debug_logs")
        return cls(index, fields.text("name") or "", status or 0, fields.text("logs"), debug_logs)

    @property
    def dbt_command(self) -> str | None:
        """The dbt command of the step, such as "dbt build", or None if it has none."""
        found = re.search(r"`(dbt\s.*)`", self.name, re.DOTALL)
        return found[1] if found else None

    @property
    def log_lines(self) -> list[str]:
        """The lines of the step's console output, without empty lines and colours."""
        return _plain_lines(self.logs)

    @property
    def debug_log_lines(self) -> list[str]:
        """The lines of the step's debug log, without empty lines and colours."""
        return _plain_lines(self.debug_logs)


def without_colours(text: str) -> str:
    """Return a text of a log without the codes that colour it in a terminal."""
    return _COLOUR.sub("", text)


def _plain_lines(log: str | None) -> list[str]:
    lines = (without_colours(line).rstrip() for line in (log or "").splitlines())
    return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job ("Retrieve Run").

    Attributes:
        status: The status code; one of `RunStatus`, unless dbt Cloud adds others.
        status_message: Why the run ended, such as "Cancelled by user.".
        href: The address of the run's page, with a slash at the end.
        cause: Why the run was triggered; None if `trigger` was not included.
        steps: Empty if `run_steps` was not included.
        data: The whole object.
    """

    id: int
    status: int
    job_id: int | None = None
    status_message: str | None = None
    href: str | None = None
    cause: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    data: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse a run from the API's JSON.

        Raises:
            MalformedResponse: If it has no id or no status, or a field has an unexpected type.
        """
        fields = TypedFields(data, "a run")
        for name, read in _LATER_FIELDS.items():
            read(fields, name)
        return cls(
            id=fields.required_integer("id"),
            status=fields.required_integer("status"),
            job_id=fields.integer("job_definition_id") or fields.integer("job_id"),
            status_message=fields.text("status_message"),
            href=fields.text("href"),
            cause=TypedFields(fields.mapping("trigger"), "a trigger").text("cause"),
            created_at=fields.time("created_at"),
            started_at=fields.time("started_at"),
            finished_at=fields.time("finished_at"),
            steps=tuple(map(Step.parse, fields.sequence("run_steps") or ())),
            data=data,
        )

    account_id = DataField(int)
    project_id = DataField(int)
    environment_id = DataField(int)
    dbt_version = DataField(str)
    git_branch = DataField(str)
    git_sha = DataField(str)
    duration = DataField(str)
    queued_duration = DataField(str)
    run_duration = DataField(str)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that dbt Cloud sent, as plain JSON values."""
        return dict(self.data)

    @property
    def finished(self) -> bool:
        """True if the run has ended."""
        return self.status in FINISHED

    @property
    def current_step(self) -> Step | None:
        """The last step that has begun, or None if there is none or `run_steps` was not included."""
        begun = [step for step in self.steps if step.status != RunStatus.QUEUED]
        return max(begun, key=lambda step: step.index, default=None)

    @property
    def is_success(self) -> bool:
        """True if the run has succeeded."""
        return self.status == RunStatus.SUCCESS

    @property
    def status_humanized(self) -> str:
        """The status in a word, such as "Success"."""
        return RunStatus.name_of(self.status)

    def error(self, summary: str = "") -> RunFailed:
        """Return the error for a run that did not succeed.

        Args:
            summary: What failed in it, in sentences.
        """
        kind = RunCancelled if self.status == RunStatus.CANCELLED else RunFailed
        why = ". ".join(filter(None, ((self.status_message or "").rstrip(". "), summary)))
        return kind(self.id, self.status, why=why, url=self.href)

    def retry_refusal(self) -> NotRetryable | None:
        """Return why dbt Cloud cannot retry the run, or None if nothing speaks against it."""
        if not self.finished:
            return self._not_failed(f"it is {RunStatus.name_of(self.status).lower()}")
        if self.status != RunStatus.ERROR:
            return self._not_failed(f"it ended with {RunStatus.name_of(self.status)}")
        if self.data.get("can_retry") is not False:
            return None
        code = str(self.data.get("retry_not_supported_reason") or "")
        return self.retry_error(code, f"dbt Cloud says {code or 'so'}")

    def retry_error(self, code: str, otherwise: str) -> NotRetryable:
        """Return the error for dbt Cloud's refusal to retry the run.

        Args:
            code: dbt Cloud's reason, such as "RETRY_NOT_LATEST_RUN", or "".
            otherwise: The explanation where the reason is not a known one.
        """
        return NotRetryable(self.id, code, _REFUSALS.get(code, otherwise))

    def _not_failed(self, why: str) -> NotRetryable:
        return NotRetryable(self.id, "RETRY_NOT_FAILED_RUN", why)

    @property
    def retried_run_id(self) -> int | None:
        """The id of the run that this one retries from its point of failure, or None."""
        retried_run_id: int | None = self.data.get("retrying_run_id")
        return retried_run_id

    @property
    def known_job_id(self) -> int:
        """The id of the run's job.

        Raises:
            MalformedResponse: If dbt Cloud did not send it.
        """
        if self.job_id is None:
            raise MalformedResponse.unexpected("dbt Cloud sent a run without 'job_definition_id'", self.data)
        return self.job_id

    def last_retry(self, runs: Iterable[Run]) -> Run:
        """Return the newest run in the chain of retries that begins with this run.

        Args:
            runs: Runs of the same job that may belong to the chain.
        """
        retries = {run.retried_run_id: run for run in sorted(runs, key=lambda each: each.id)}
        last = self
        while last.id in retries:
            last = retries.pop(last.id)
        return last

"""dbt Cloud's objects, parsed once where they arrive; all that came is kept in `data`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Self

from dbtcloud.client.errors import MalformedResponse

Json = Mapping[str, Any]


class RunStatus(IntEnum):
    """A run's status code (API v2, "Retrieve Run", field `status`)."""

    QUEUED = 1
    STARTING = 2
    RUNNING = 3
    SUCCESS = 10
    ERROR = 20
    CANCELLED = 30


UNFINISHED = frozenset({RunStatus.QUEUED, RunStatus.STARTING, RunStatus.RUNNING})
FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.ERROR, RunStatus.CANCELLED})


def status_name(status: int) -> str:
    """The word for a status code, such as "Running"; codes of the future are named by their number."""
    try:
        return RunStatus(status).name.capitalize()
    except ValueError:
        return f"status {status}"


def moment(text: object) -> datetime | None:
    """A timestamp of the API (runs write a space between date and time, jobs a `T`), or None."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def required(data: object, key: str, kind: str) -> Any:
    """`data[key]`, or MalformedResponse naming what lacks it."""
    if not isinstance(data, Mapping) or data.get(key) is None:
        raise MalformedResponse(f"dbt Cloud sent a {kind} without {key!r}", why=f"It sent {outline(data)}")
    return data[key]


def outline(data: object) -> str:
    """What kind of JSON value something is: its content may be anything, so it is not quoted."""
    if isinstance(data, Mapping):
        return f"an object with {', '.join(map(str, list(data)[:20])) or 'nothing in it'}"
    kinds = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(data), "a number")


@dataclass(frozen=True, slots=True)
class Named:
    """What accounts, projects, environments and jobs have in common."""

    id: int
    name: str
    data: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Read the object from the API's JSON.

        Raises:
            MalformedResponse: If it has no id.
        """
        return cls(required(data, "id", cls.__name__.lower()), data.get("name") or "", data)


class Account(Named):
    """An account ("Retrieve Account")."""

    __slots__ = ()


class Project(Named):
    """A project ("Retrieve Project")."""

    __slots__ = ()


class Environment(Named):
    """An environment of a project ("Retrieve Environment")."""

    __slots__ = ()


class Job(Named):
    """A job ("Retrieve Job")."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run (`include_related=["run_steps"]`).

    Attributes:
        index: Position in the run, from 1.
        name: Such as "Invoke dbt with `dbt build`".
        status: A code as of a run.
        logs: The step's console text, or None when it was not asked for.
    """

    index: int
    name: str
    status: int
    logs: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Read a step from the API's JSON."""
        return cls(
            required(data, "index", "step"), data.get("name") or "", data.get("status") or 0, data.get("logs")
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job ("Retrieve Run").

    Attributes:
        status: A code, of `RunStatus` unless dbt Cloud has learnt new ones.
        status_message: dbt Cloud's word on the end, such as "Cancelled by user.".
        href: The run's page, with its trailing slash.
        cause: Why the run was triggered; None when `trigger` was not included.
        steps: Empty when `run_steps` was not included.
        data: The object as it came.
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
        """Read a run from the API's JSON.

        Raises:
            MalformedResponse: If it has no id or no status.
        """
        return cls(
            id=required(data, "id", "run"),
            status=required(data, "status", "run"),
            job_id=data.get("job_definition_id") or data.get("job_id"),
            status_message=data.get("status_message"),
            href=data.get("href"),
            cause=(data.get("trigger") or {}).get("cause"),
            created_at=moment(data.get("created_at")),
            started_at=moment(data.get("started_at")),
            finished_at=moment(data.get("finished_at")),
            steps=tuple(Step.parse(step) for step in data.get("run_steps") or ()),
            data=data,
        )

    @property
    def finished(self) -> bool:
        """Whether the status is one that a run ends with."""
        return self.status in FINISHED

    @property
    def retries(self) -> int | None:
        """Which run this one retries from its failure (`retrying_run_id`)."""
        retried: int | None = self.data.get("retrying_run_id")
        return retried

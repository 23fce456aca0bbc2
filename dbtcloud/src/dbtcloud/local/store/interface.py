"""Where the server keeps its state: the interface, and the questions that lists may ask of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dbtcloud.local.model.records import Definition, RunRecord, Status, StepRecord

D = TypeVar("D", bound=Definition)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is wanted, and in which order (`-` in front turns it round)."""

    limit: int = 100
    offset: int = 0
    order_by: str = "id"


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """Conditions on projects, environments and jobs, all of which must hold.

    `equal` pairs a field with the values that it may have, `within` a field of what is only shown, by its
    path (`triggers.schedule`).
    """

    account_id: int
    equal: Sequence[tuple[str, Sequence[int]]] = ()
    within: Sequence[tuple[str, Sequence[int | str | None]]] = ()
    id_above: int | None = None
    name_contains: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Conditions on runs, all of which must hold; None asks for nothing. Ranges are microseconds.

    `docs` and `sources` ask whether docs and source freshness were generated; `deferring` for runs that
    defer to another one, of which there are none here.
    """

    account_id: int
    ids: Sequence[int] | None = None
    id_above: int | None = None
    job_ids: Sequence[int] | None = None
    project_ids: Sequence[int] | None = None
    environment_ids: Sequence[int] | None = None
    statuses: Sequence[int] | None = None
    created: tuple[int, int] | None = None
    started: tuple[int, int] | None = None
    finished: tuple[int, int] | None = None
    dbt_versions: Sequence[str] | None = None
    retrying_run_ids: Sequence[int] | None = None
    docs: bool | None = None
    sources: bool | None = None
    deferring: bool = False
    deleted: bool = False


class Definitions(Protocol):
    """Accounts, projects, environments and jobs."""

    def put(self, definition: Definition) -> None:
        """Keep one, in place of one of its kind with the same id."""

    def get(self, kind: type[D], id_: int) -> D | None:
        """Return one, or None."""

    def ids(self, kind: type[Definition]) -> list[int]:
        """Return the ids of all of a kind."""

    def next_id(self, kind: type[Definition]) -> int:
        """Return the first free id of a kind."""

    def find(self, kind: type[D], query: DefinitionQuery, page: PageQuery) -> tuple[list[D], int]:
        """Return one page of a kind, and how many there are in all."""


class Runs(Protocol):
    """Runs, and the lives of pretended ones."""

    def add(self, runs: Iterable[RunRecord]) -> None:
        """Keep new runs, all or none of them."""

    def next_id(self) -> int:
        """Return an id above all that there are."""

    def get(self, id_: int) -> RunRecord | None:
        """Return one run, or None."""

    def find(self, query: RunQuery, page: PageQuery, now: int) -> tuple[list[RunRecord], int]:
        """Return one page of runs, as they are at `now`, and how many there are in all."""

    def latest_ids(self, job_ids: Iterable[int]) -> dict[int, int]:
        """Return the newest run id of each of these jobs."""

    def change(self, id_: int, **values: int | str | None) -> None:
        """Set instants, outcome or message of a run."""

    def unfinished(self) -> list[RunRecord]:
        """Return the runs of real dbt that have not ended, oldest first."""

    def keep_script(self, body: Mapping[str, Any]) -> str:
        """Keep the life of pretended runs and return its name; equal lives share one."""

    def script(self, name: str) -> dict[str, Any]:
        """Return a kept life."""


class Steps(Protocol):
    """Steps of real runs; those of pretended runs are worked out."""

    def start(self, step: StepRecord) -> None:
        """Keep a step that has begun."""

    def log(self, run_id: int, index: int, text: str) -> None:
        """Append to a step's log."""

    def finish(self, run_id: int, index: int, status: Status, now: int) -> None:
        """Note a step's end."""

    def of(self, run_id: int) -> list[StepRecord]:
        """Return a run's steps in order, with their logs."""


class Store(Protocol):
    """All that the server remembers; it belongs to the server's thread, and every method returns at once."""

    @property
    def definitions(self) -> Definitions:
        """What is set up once."""

    @property
    def runs(self) -> Runs:
        """What was started."""

    @property
    def steps(self) -> Steps:
        """What real runs did."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Let go of the file."""

"""The interface of the store, and the queries of its lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dbtcloud.local.model.records import Definition, RunRecord, Status, StepRecord

_D = TypeVar("_D", bound=Definition)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A page of a list: its size, its offset and the order (descending with `-` in front)."""

    limit: int = 100
    offset: int = 0
    order_by: str = "id"


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """Conditions on projects, environments and jobs, all of which must hold.

    `equal` pairs a column with the values that it may have. `within` does the same for a field that has no
    column, by its path (`triggers.schedule`).
    """

    account_id: int
    equal: Sequence[tuple[str, Sequence[int]]] = ()
    within: Sequence[tuple[str, Sequence[int | str | None]]] = ()
    id_above: int | None = None
    name_contains: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Conditions on runs, all of which must hold.

    None is no condition. Ranges are in microseconds. `docs` and `sources`: whether the run has generated docs
    or source freshness. `deferring`: runs that defer to another run, which the local dbt Cloud never has.
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


class DefinitionStore(Protocol):
    """Accounts, projects, environments and jobs."""

    def put(self, definition: Definition) -> None:
        """Store a definition, replacing one of its kind with the same id."""

    def get(self, kind: type[_D], id_: int) -> _D | None:
        """Return a definition, or None."""

    def ids(self, kind: type[Definition]) -> list[int]:
        """Return the ids of all definitions of a kind."""

    def next_id(self, kind: type[Definition]) -> int:
        """Return the first free id of a kind."""

    def find(self, kind: type[_D], query: DefinitionQuery, page: PageQuery) -> tuple[list[_D], int]:
        """Return one page of a kind, and the total number."""


class RunStore(Protocol):
    """Runs, and the scripts of simulated ones."""

    def add(self, runs: Iterable[RunRecord]) -> None:
        """Store new runs, all or none of them."""

    def next_id(self) -> int:
        """Return an id above all run ids."""

    def get(self, id_: int) -> RunRecord | None:
        """Return a run, or None."""

    def find(self, query: RunQuery, page: PageQuery, now: int) -> tuple[list[RunRecord], int]:
        """Return one page of runs, with their statuses at `now`, and the total number."""

    def latest_ids(self, job_ids: Iterable[int]) -> dict[int, int]:
        """Return the newest run id of each job."""

    def update(self, id_: int, **values: int | str | None) -> None:
        """Set instants, outcome or message of a run."""

    def unfinished(self) -> list[RunRecord]:
        """Return the runs of real dbt that have not finished, the oldest first."""

    def save_script(self, body: Mapping[str, Any]) -> str:
        """Store the script of simulated runs and return its name. Equal scripts share one name."""

    def script(self, name: str) -> dict[str, Any]:
        """Return a stored script."""


class StepStore(Protocol):
    """Steps of real runs. Those of simulated runs follow from their scripts."""

    def start(self, step: StepRecord) -> None:
        """Store a step that has started."""

    def log(self, run_id: int, index: int, text: str) -> None:
        """Append to a step's log."""

    def finish(self, run_id: int, index: int, status: Status, now: int) -> None:
        """Store the end of a step."""

    def for_run(self, run_id: int) -> list[StepRecord]:
        """Return a run's steps in order, with their logs."""


class Store(Protocol):
    """The state of a server, to be used by the server's thread. No method blocks for long."""

    @property
    def definitions(self) -> DefinitionStore:
        """Return the accounts, projects, environments, jobs, variables and webhook subscriptions."""

    @property
    def runs(self) -> RunStore:
        """Return the runs."""

    @property
    def steps(self) -> StepStore:
        """Return the steps of real runs."""

    def clear(self) -> None:
        """Delete everything."""

    def close(self) -> None:
        """Close the file."""

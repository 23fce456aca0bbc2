"""The queries of the store: conditions on definitions and runs, and a page of a list."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A page of a list: its size, its offset and the order (descending with `-` in front)."""

    limit: int = 100
    offset: int = 0
    order_by: str = "id"

    @property
    def column(self) -> str:
        """The column of the order."""
        return self.order_by.removeprefix("-")

    @property
    def direction(self) -> str:
        """The direction of the order in SQL."""
        return "DESC" if self.order_by.startswith("-") else "ASC"


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """Conditions on definitions, all of which must hold.

    Attributes:
        account_id: the account.
        equal: columns, each with the values that it may have.
        within: the same for fields without a column, by their path, such as `triggers.schedule`.
        id_above: a lower limit of the id, which is excluded.
        name_contains: a part of the name, in upper or lower case.
        name: the whole name.
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

    None is no condition. The ranges `created`, `started` and `finished` are in microseconds and include both
    ends. `docs` and `sources` say whether the run has generated docs or source freshness. `deferring` (runs
    that defer to another run) and `deleted` match nothing, because the local dbt Cloud has no such runs.
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

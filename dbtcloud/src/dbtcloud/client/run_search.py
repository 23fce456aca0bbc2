"""Search a job's runs, newest first, also where the list of runs does not show all that is needed.

No clock of this machine is compared with dbt Cloud's. How far back a search goes is a duration, counted from
the newest run of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Self

from dbtcloud.client import endpoints
from dbtcloud.client.errors import DbtCloudError, MalformedResponse, NotFound
from dbtcloud.client.models import Json, Run
from dbtcloud.client.paging import PAGE_SIZE, rows_of
from dbtcloud.client.protocol import Call, Id, Request, Response, ask_for

_MAX_PAGES = 50
_MAX_SINGLE_READS = 20

_SLACK = timedelta(hours=2)
"""What is added to each duration: a clock may be set while it is measured."""

_DATE_SLACK = timedelta(hours=12)
"""How far the clocks of dbt Cloud's `Date` header and of its `created_at` may differ."""


class FoundRuns(list[Run]):
    """The runs that a search has found, newest first.

    Attributes:
        doubts: Why there may be others, as parts of a sentence. Empty if there are certainly none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.doubts: list[str] = []


class RunSearch:
    """A search for some of a job's runs, which may be repeated.

    Args:
        account_id: The account.
        job_id: The job.
        is_wanted: Returns whether a run is wanted, or None if its data do not show that. Such a run is read
            by itself.
        age: How long ago the oldest wanted run can have been created; any time if None.
        after: Only runs after the one with this id, or all if None.
    """

    def __init__(
        self,
        account_id: Id,
        job_id: Id,
        is_wanted: Callable[[Run], bool | None],
        *,
        age: timedelta | None = None,
        after: Id | None = None,
    ) -> None:
        self._account_id, self._job_id, self._is_wanted = account_id, job_id, is_wanted
        self._age, self._after = age, int(after) if after is not None else None
        self._seen_unwanted: set[int] = set()

    def find(self) -> Call[FoundRuns]:
        """Search the list of the job's runs once.

        Raises:
            DbtCloudError: If the list or a run cannot be read.
        """
        rows = yield from self._read_list()
        found = FoundRuns()
        found.doubts += rows.doubts
        unclear: list[int] = []
        for row in rows.rows:
            self._sort_row(row, rows, found, unclear)
        yield from self._read_each(unclear, found)
        found.sort(key=lambda run: -run.id)
        return found

    def _read_list(self) -> Call[_Rows]:
        rows = _Rows()
        for _ in range(_MAX_PAGES):
            request = Request.get(self._account_id, "runs", query=self._query(rows.offset))
            page = yield from ask_for(request, partial(_Page.parse, request))
            if rows.add(page) or self._reaches_back(rows):
                return rows
        rows.doubts.append(f"the list of runs has no end after {rows.offset} rows")
        return rows

    def _query(self, offset: int) -> dict[str, object]:
        return {
            "job_definition_id": self._job_id,
            "order_by": "-id",
            "include_related": ["trigger"],
            "limit": PAGE_SIZE,
            "offset": offset,
        }

    def _reaches_back(self, rows: _Rows) -> bool:
        """Return whether the rows so far go back as far as the search has to."""
        last = rows.rows[-1] if rows.descending and rows.rows else None
        run_id, created_at = _id_of(last), _created_at(last)
        if self._after is not None and run_id is not None and run_id <= self._after:
            return True
        return created_at is not None and self._is_too_old(created_at, rows)

    def _is_too_old(self, created_at: datetime, rows: _Rows) -> bool:
        # A run that was created within `age` is at most that much older than the newest run, whatever time
        # dbt Cloud's clock shows.
        return (
            self._age is not None
            and rows.newest is not None
            and created_at < rows.newest - self._age - _SLACK
        )

    def _may_be_in_range(self, run_id: int | None, created_at: datetime | None, rows: _Rows) -> bool:
        if self._after is not None and run_id is not None and run_id <= self._after:
            return False
        if created_at is None or self._age is None:
            return True
        before_start = rows.date is not None and created_at < rows.date - self._age - _DATE_SLACK
        return not before_start and not self._is_too_old(created_at, rows)

    def _sort_row(self, row: Json, rows: _Rows, found: FoundRuns, unclear: list[int]) -> None:
        """Add a row to the runs that are wanted or unclear, or drop it."""
        run = _parsed(row)
        wanted = self._is_wanted(run) if run is not None else None
        run_id = run.id if run is not None else _id_of(row)
        if run is not None and wanted:
            found.append(run)
        elif wanted is None and run_id not in self._seen_unwanted:
            if not self._may_be_in_range(run_id, _created_at(row), rows):
                return
            if run_id is None:
                found.doubts.append("the list of runs has a row that cannot be read")
            else:
                unclear.append(run_id)

    def _read_each(self, unclear: list[int], found: FoundRuns) -> Call[None]:
        """Read runs by themselves which the list does not show clearly."""
        for run_id in unclear[:_MAX_SINGLE_READS]:
            run, wanted = yield from self._read_one(run_id)
            if run is not None and wanted:
                found.append(run)
            elif wanted is None:
                found.doubts.append(f"dbt Cloud does not show what started run {run_id}")
            else:
                self._seen_unwanted.add(run_id)
        if more := len(unclear[_MAX_SINGLE_READS:]):
            found.doubts.append(f"dbt Cloud does not show what started {more} more runs")

    def _read_one(self, run_id: int) -> Call[tuple[Run | None, bool | None]]:
        try:
            run = yield from endpoints.get_run(self._account_id, run_id, include_related=["trigger"])
        except (NotFound, MalformedResponse):
            return None, None
        return run, self._is_wanted(run) if run.id == run_id else None


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the list. Its rows may be anything.

    Attributes:
        rows: The rows.
        total: How many rows the list has, or None if it does not say.
        date: The time of the answer, by dbt Cloud's clock, or None.
    """

    rows: list[Any]
    total: int | None
    date: datetime | None

    @classmethod
    def parse(cls, request: Request, response: Response) -> Self:
        """Parse a page.

        Raises:
            MalformedResponse: If it is not a page of a list.
        """
        body = response.envelope(request)
        extra = body.get("extra")
        pagination = extra.get("pagination") if isinstance(extra, Mapping) else None
        total = pagination.get("total_count") if isinstance(pagination, Mapping) else None
        rows = [] if body["data"] is None and total == 0 else rows_of(body["data"])
        return cls(rows, total if isinstance(total, int) else None, _date_of(response))


@dataclass(slots=True)
class _Rows:
    """The rows of a list, as far as they have been read.

    Attributes:
        rows: The rows, each once.
        doubts: Why the list may have others.
        newest: When the newest run was created, by dbt Cloud's clock, or None.
        date: The time of the last answer, by dbt Cloud's clock, or None.
        descending: Whether the ids descend, so that later rows are older.
        offset: How many rows were read.
    """

    rows: list[Json] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    newest: datetime | None = None
    date: datetime | None = None
    descending: bool = True
    offset: int = 0
    _ids: set[int] = field(default_factory=set)
    _last_id: int | None = None

    def add(self, page: _Page) -> bool:
        """Add a page, and return whether it is the last one."""
        self.date = page.date or self.date
        new = [row for row in page.rows if self._is_new(row)]
        self.rows += new
        self.offset += len(page.rows)
        # A total that is too small is wrong.
        total = page.total if page.total is not None and page.total >= self.offset else None
        if not new:
            if total is not None and self.offset < total:
                self.doubts.append(f"the list of runs shows {len(self.rows)} of {total} rows")
            elif len(page.rows) >= PAGE_SIZE:
                self.doubts.append("the list of runs repeats its rows")
            return True
        return total is not None and self.offset >= total

    def _is_new(self, row: Json) -> bool:
        run_id = _id_of(row)
        if run_id is None:
            return True
        if run_id in self._ids:
            return False
        self._ids.add(run_id)
        self.descending &= self._last_id is None or self._last_id > run_id
        self._last_id = run_id
        created_at = _created_at(row)
        if created_at is not None:
            self.newest = max(created_at, self.newest or created_at)
        return True


def _parsed(row: object) -> Run | None:
    """Return a row's run, without its times if they cannot be read, or None if anything else cannot."""
    if not isinstance(row, Mapping):
        return None
    for fields in (row, {name: value for name, value in row.items() if not name.endswith("_at")}):
        with suppress(DbtCloudError):
            return Run.parse(fields)
    return None


def _id_of(row: object) -> int | None:
    run_id = row.get("id") if isinstance(row, Mapping) else None
    if isinstance(run_id, str) and run_id.isascii() and run_id.isdigit():
        return int(run_id)
    return run_id if isinstance(run_id, int) and not isinstance(run_id, bool) else None


def _created_at(row: object) -> datetime | None:
    """Return when a run was created, in UTC if it has no offset, or None if its time is not shown."""
    text = row.get("created_at") if isinstance(row, Mapping) else None
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) and ":" in text else None
    except ValueError:
        return None
    return time.replace(tzinfo=time.tzinfo or UTC) if time else None


def _date_of(response: Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)

"""Read the lists of the API page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Json
from dbtcloud.client.protocol import Call, Request, T, ask_for
from dbtcloud.client.typed_json import TypedFields

PAGE_SIZE = 100
"""Rows of a page; the API refuses a larger `limit`."""

MAX_PAGES = 1000
"""Pages of a list that are read unless a limit asks for more."""

_REREADS = 2
_MAX_ROUNDS = 8  # a list that changes all the time is returned as it is after so many
_MAX_REPEATED_PAGES = 3  # pages in a row without a new row; a list that grows meanwhile may have more
_MAX_MISSING = 0.1  # part of a list that may be missing in the end, because rows came and went meanwhile


@dataclass(frozen=True, slots=True)
class PageRange:
    """The rows of a list that one page holds, by `offset` and `limit` of the API."""

    offset: int
    limit: int

    def read(self, request: Request, parse: Callable[[Json], object] = bool) -> Call[ListPage]:
        """Read these rows of the list that `request` asks for.

        Args:
            request: The request for the list.
            parse: Raises MalformedResponse for a row that cannot be used.
        """
        query = {**request.query, "limit": str(self.limit), "offset": str(self.offset)}
        page_request = replace(request, query=query)

        def read_page(response: Any) -> ListPage:
            page = ListPage.parse(response.envelope(page_request), self.offset)
            for row in page.rows:
                parse(row)
            return page

        return (yield from ask_for(page_request, read_page))


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list.

    Attributes:
        rows: The rows of the page, each with an `id`.
        total: How many rows the whole list had when the page was read; 0 for a list without pages.
    """

    rows: list[Json]
    total: int

    @classmethod
    def parse(cls, body: Json, offset: int) -> Self:
        """Parse the page from the body of a response.

        Args:
            body: The body.
            offset: Where in the list the page begins.

        Raises:
            MalformedResponse: If it is not a page, a row has no id or that of another row, or the page does
                not fit to the length of the list.
        """
        total = _total_of(body)
        if total is None and offset:
            raise MalformedResponse.unexpected("dbt Cloud sent a page without 'total_count'", body)
        rows = [] if body["data"] is None and total == 0 else rows_of(body["data"])
        ids = {_id_of(row) for row in rows}
        if len(ids) < len(rows):
            raise MalformedResponse(f"dbt Cloud sent a page of {len(rows)} rows with only {len(ids)} ids")
        if total is not None and not (offset < offset + len(rows) <= total or (not rows and offset >= total)):
            raise MalformedResponse(
                f"dbt Cloud sent a page of {len(rows)} rows at offset {offset} of a list with {total} rows"
            )
        return cls(rows, total or 0)


def list_rows(request: Request, parse: Callable[[Json], T]) -> Call[list[T]]:
    """Read all rows of the list that `request` asks for, one page after the other.

    Args:
        request: The request for the list.
        parse: Makes a row's object.

    Raises:
        MalformedResponse: If the pages contradict each other, or a row cannot be parsed.
    """
    pager, found = Pager(rereads=0), list[Json]()
    while page_ranges := pager.next_ranges():
        for page_range in page_ranges:
            page = yield from page_range.read(request, parse)
            found += pager.new_rows(page_range, page)
            if not page.rows:  # the list ends here
                break
    return [parse(row) for row in found]


class Pager:
    """The state of reading a list that may change meanwhile.

    The pages of one round may be read at the same time. A row that moves to a later page is returned once. If
    rows were added, the next round reads on to the new end of the list. If rows were removed, others may have
    moved to a page that was read before. The list is then read again, and only rows that were missed are
    returned.

    Args:
        limit: Largest number of rows that are returned; all if None.
        rereads: How often the list may be read again.

    Attributes:
        total: How many rows the list had in the page that was read last.

    Raises:
        MalformedResponse: From both methods, if the pages contradict each other, as where dbt Cloud sends the
            same rows whatever the offset; and if the list does not end within `MAX_PAGES` pages, or twice the
            pages of `limit`.
    """

    def __init__(self, limit: int | None = None, rereads: int = _REREADS) -> None:
        self.total = 0
        self._limit, self._page_size = limit, PAGE_SIZE
        self._known_ids: set[int | str] = set()
        self._end, self._largest_total, self._rereads, self._rounds = 0, 0, rereads, _MAX_ROUNDS
        self._has_shrunk = self._is_reread = False
        self._pages_left = max(MAX_PAGES, 2 * (limit or 0) // PAGE_SIZE)
        self._totals: list[int] = []
        self._repeated_rows = self._repeated_pages = 0

    def next_ranges(self) -> list[PageRange]:
        """Return the pages of the next round in order, or an empty list at the end."""
        if self._end == 0:
            return self._ranges(0, min(PAGE_SIZE, self._limit or PAGE_SIZE))
        self._rounds -= 1
        ranges = self._further_ranges() if self._rounds >= 0 else []
        if not ranges:
            self._check_end()
        return ranges

    def _further_ranges(self) -> list[PageRange]:
        wanted = self._wanted_of(self.total)
        if self._has_shrunk and self._rereads and len(self._known_ids) != self._limit:
            self._has_shrunk, self._largest_total, self._rereads = False, 0, self._rereads - 1
            self._is_reread = True
            return self._ranges(0, wanted)
        # Rows that were returned twice leave fewer new ones than wanted: read on for as many as are missing.
        return self._ranges(self._end, min(self._end + wanted - len(self._known_ids), self.total))

    def new_rows(self, page_range: PageRange, page: ListPage) -> list[Json]:
        """Return the rows of a page that were not returned before, up to the limit."""
        self._update(page_range, page)
        found = [row for row in page.rows if row["id"] not in self._known_ids]
        self._count_repetitions(page, found)
        if self._limit is not None:
            found = found[: self._limit - len(self._known_ids)]
        self._known_ids.update(row["id"] for row in found)
        return found

    def _update(self, page_range: PageRange, page: ListPage) -> None:
        self.total = page.total
        self._totals.append(page.total)
        self._pages_left -= 1
        self._has_shrunk |= page.total < self._largest_total
        self._largest_total = max(self._largest_total, page.total)
        # A first page that is shorter than asked for shows that the server has smaller pages.
        if page_range.offset == 0 and 0 < len(page.rows) < min(page_range.limit, page.total):
            self._page_size = self._end = len(page.rows)

    def _count_repetitions(self, page: ListPage, new: list[Json]) -> None:
        """Count the rows that came before, and raise if there are more than a changing list explains."""
        if self._is_reread or not page.rows:
            return
        self._repeated_rows += len(page.rows) - len(new)
        self._repeated_pages = 0 if new else self._repeated_pages + 1
        # Each row that is added in front moves one row to a later page, where it is read again.
        is_growth = self._repeated_rows <= page.total - self._totals[0]
        if self._repeated_pages >= _MAX_REPEATED_PAGES and not is_growth:
            raise self._contradiction(f"the last {self._repeated_pages} pages repeat earlier ones")

    def _wanted_of(self, total: int) -> int:
        return total if self._limit is None else min(self._limit, total)

    def _check_end(self) -> None:
        """Raise if the list is far from complete."""
        found = len(self._known_ids)
        least = self._wanted_of(min(self._totals))
        if least - found >= min(PAGE_SIZE, _MAX_MISSING * least) and least > found:
            raise self._contradiction(f"its pages have only {found} different rows")
        if self._rounds < 0 and self._wanted_of(self.total) - found >= PAGE_SIZE:
            raise self._contradiction("each page moves its end further away")

    def _ranges(self, start: int, end: int) -> list[PageRange]:
        size = self._page_size
        if start < end and self._pages_left <= 0:
            raise MalformedResponse(
                f"dbt Cloud's list of {self.total} rows does not end within {len(self._totals)} pages",
                fix="Narrow the list by a filter, or give a limit",
            )
        end = min(end, start + self._pages_left * size)
        self._end = max(self._end, end)
        return [PageRange(offset, min(size, end - offset)) for offset in range(start, end, size)]

    def _contradiction(self, why: str) -> MalformedResponse:
        return MalformedResponse(
            f"dbt Cloud says that the list has {self.total} rows, but {why}",
            fix="Try again; if this persists, narrow the list by a filter, or give a limit",
        )


def _id_of(row: Any) -> int | str:
    if isinstance(row, dict) and isinstance(row.get("id"), str):
        return str(row["id"])  # that of a webhook subscription
    return TypedFields(row, "a row of a list").required_integer("id")


def rows_of(data: Any) -> list[Any]:
    """Return the rows in `data` of an envelope.

    Raises:
        MalformedResponse: If it is not a list.
    """
    if not isinstance(data, list):
        raise MalformedResponse.unexpected("dbt Cloud did not send a list where one was expected", data)
    return data


def _total_of(body: Json) -> int | None:
    """Return how many rows the list has, or None for a list without pages: what came is all there is."""
    extra = TypedFields(body, "a list").mapping("extra") or {}
    if "pagination" not in extra:
        return None
    pagination = TypedFields(extra, "a list").required_mapping("pagination")
    return TypedFields(pagination, "a list").required_integer("total_count")

"""Read the lists of the API page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Json, required_field
from dbtcloud.client.protocol import Call, Request, ask

PAGE_SIZE = 100
"""Rows of a page; the API refuses a larger `limit`."""

_REREADS = 2
_MAX_ROUNDS = 8  # a list that changes all the time is returned as it is after so many


@dataclass(frozen=True, slots=True)
class PageRange:
    """The rows of a list that one page holds, by `offset` and `limit` of the API."""

    offset: int
    limit: int

    def read(self, request: Request) -> Call[ListPage]:
        """Read these rows of the list that `request` asks for."""
        query = {**request.query, "limit": str(self.limit), "offset": str(self.offset)}
        page_request = replace(request, query=query)
        body = (yield from ask(page_request)).envelope(page_request)
        return ListPage(rows_of(body["data"]), _total_of(body))


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list.

    Attributes:
        rows: The rows of the page.
        total: How many rows the whole list had when the page was read.
    """

    rows: list[Json]
    total: int


def list_rows(request: Request) -> Call[list[Json]]:
    """Read all rows of the list that `request` asks for, one page after the other."""
    pager, found = Pager(rereads=0), list[Json]()
    while page_ranges := pager.next_ranges():
        for page_range in page_ranges:
            page = yield from page_range.read(request)
            found += pager.new_rows(page_range, page)
            if not page.rows:  # the list ends here, whatever total it states
                return found
    return found


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
    """

    def __init__(self, limit: int | None = None, rereads: int = _REREADS) -> None:
        self.total = 0
        self._limit, self._page_size = limit, PAGE_SIZE
        self._known_ids: set[object] = set()
        self._end, self._largest_total, self._rereads, self._rounds = 0, 0, rereads, _MAX_ROUNDS
        self._has_shrunk = False

    def next_ranges(self) -> list[PageRange]:
        """Return the pages of the next round in order, or an empty list at the end."""
        if self._end == 0:
            return self._ranges(0, min(PAGE_SIZE, self._limit or PAGE_SIZE))
        self._rounds -= 1
        if self._rounds < 0:
            return []
        wanted = self.total if self._limit is None else min(self._limit, self.total)
        if self._has_shrunk and self._rereads and len(self._known_ids) != self._limit:
            self._has_shrunk, self._largest_total, self._rereads = False, 0, self._rereads - 1
            return self._ranges(0, wanted)
        # Rows that were returned twice leave fewer new ones than wanted: read on for as many as are missing.
        return self._ranges(self._end, min(self._end + wanted - len(self._known_ids), self.total))

    def new_rows(self, page_range: PageRange, page: ListPage) -> list[Json]:
        """Return the rows of a page that were not returned before, up to the limit.

        Raises:
            MalformedResponse: If a row has no id.
        """
        self._update(page_range, page)
        found: list[Json] = []
        for row in page.rows:
            row_id = required_field(row, "id", "row of a list")
            if row_id not in self._known_ids and len(self._known_ids) != self._limit:
                self._known_ids.add(row_id)
                found.append(row)
        return found

    def _update(self, page_range: PageRange, page: ListPage) -> None:
        self.total = page.total
        self._has_shrunk |= page.total < self._largest_total
        self._largest_total = max(self._largest_total, page.total)
        # A first page that is shorter than asked for shows that the server has smaller pages.
        if page_range.offset == 0 and 0 < len(page.rows) < min(page_range.limit, page.total):
            self._page_size = self._end = len(page.rows)

    def _ranges(self, start: int, end: int) -> list[PageRange]:
        self._end = max(self._end, end)
        size = self._page_size
        return [PageRange(offset, min(size, end - offset)) for offset in range(start, end, size)]


def rows_of(data: Any) -> list[Any]:
    """Return the rows in `data` of an envelope, where null means an empty list.

    Raises:
        MalformedResponse: If it is not a list.
    """
    if not isinstance(data, list | None):
        raise MalformedResponse.unexpected("dbt Cloud did not send a list where one was expected", data)
    return data or []


def _total_of(body: Json) -> int:
    extra = body.get("extra") or {}
    if "pagination" not in extra:
        return 0  # a list without pages: what came is all there is
    total = required_field(extra["pagination"], "total_count", "list")
    if not isinstance(total, int):
        raise MalformedResponse.unexpected("dbt Cloud sent a list without its length", total)
    return total

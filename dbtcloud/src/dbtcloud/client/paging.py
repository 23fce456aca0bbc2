"""Reads a list of dbt Cloud's page by page: what to ask for next, and which of the rows are new."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dbtcloud.client.endpoints import PAGE_SIZE, listed, total_of
from dbtcloud.client.models import Json, required
from dbtcloud.client.protocol import Call, Request, ask, envelope

AGAIN = 2
"""How often a list from which rows have gone meanwhile is read anew."""

ROUNDS = 8
"""How often a list is read on, or anew, before one that never stands still is left as it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a list, by their places."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a part as they were, and how many rows the whole list had then."""

    rows: list[Json]
    total: int


def read_part(request: Request, part: Part) -> Call[Page]:
    """One part of the list that `request` asks for."""
    query = {**request.query, "limit": str(part.size), "offset": str(part.offset)}
    asked = replace(request, query=query)
    body = envelope(asked, (yield from ask(asked)))
    return Page(listed(body["data"]), total_of(body))


class Reading:
    """The account of a list that may change while it is read, in parts that may be asked for together.

    A row that slides into a later part is met twice, and told once. When rows have come, the list is read on
    to its new end. When some have gone, others have slid into parts that were read before; the list is then
    read anew, and what it lacked comes last.

    Args:
        limit: Rows wanted at the most; all if None.
        again: How often the list may be read anew.
    """

    def __init__(self, limit: int | None = None, again: int = AGAIN) -> None:
        self.total = 0
        self._limit, self._size = limit, PAGE_SIZE
        self._known: set[object] = set()
        self._end, self._most, self._again, self._rounds = 0, 0, again, ROUNDS
        self._has_shrunk = False

    def parts(self) -> list[Part]:
        """The parts to be read next, in order; none when the list is read."""
        if self._end == 0:
            return self._between(0, min(PAGE_SIZE, self._limit or PAGE_SIZE))
        self._rounds -= 1
        if self._rounds < 0:
            return []
        wanted = self.total if self._limit is None else min(self._limit, self.total)
        if self._has_shrunk and self._again and len(self._known) != self._limit:
            self._has_shrunk, self._most, self._again = False, 0, self._again - 1
            return self._between(0, wanted)
        return self._between(self._end, min(self._end + wanted - len(self._known), self.total))

    def new(self, part: Part, page: Page) -> list[Json]:
        """The rows of a page that were not told yet, as far as they are wanted."""
        self._note(part, page)
        found: list[Json] = []
        for row in page.rows:
            known_by = required(row, "id", "row of a list")
            if known_by not in self._known and len(self._known) != self._limit:
                self._known.add(known_by)
                found.append(row)
        return found

    def _note(self, part: Part, page: Page) -> None:
        self.total = page.total
        self._has_shrunk |= page.total < self._most
        self._most = max(self._most, page.total)
        if part.offset == 0 and 0 < len(page.rows) < min(part.size, page.total):  # it has smaller pages
            self._size = self._end = len(page.rows)

    def _between(self, start: int, end: int) -> list[Part]:
        self._end = max(self._end, end)
        return [Part(place, min(self._size, end - place)) for place in range(start, end, self._size)]

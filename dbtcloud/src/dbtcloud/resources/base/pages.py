"""Lists of dbt Cloud that are read page by page, as far as somebody iterates over them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.models import Json
from dbtcloud.client.paging import ListPage, Pager, PageRange
from dbtcloud.client.protocol import Call, Request, ask_for_data
from dbtcloud.client.shown_text import shown_value
from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine

T_co = TypeVar("T_co", covariant=True)


def check_limit(limit: object) -> None:
    """Check the largest number of objects that somebody wants.

    Raises:
        InvalidArgument: If it is not a whole number from 0.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InvalidArgument(
            f"A list cannot have the limit {shown_value(limit)}",
            fix="Give a whole number, or leave limit out",
        )


@dataclass(frozen=True, slots=True)
class Listing(Generic[T_co]):
    """The description of a list, which a method of a resource returns.

    Attributes:
        request: The request for the list.
        parse: Makes the object of a row.
        limit: Largest number of objects; all if None.
        keep: Returns whether a row is wanted, for filters that dbt Cloud does not have.
        rows: Takes the rows out of the `data` of an answer, for a list that comes whole, without pages.

    Raises:
        InvalidArgument: If the limit is not a whole number from 0.
    """

    request: Request
    parse: Callable[[Json], T_co]
    limit: int | None = None
    keep: Callable[[Json], bool] | None = None
    rows: Callable[[Any], list[Json]] | None = None

    def __post_init__(self) -> None:
        if self.limit is not None:
            check_limit(self.limit)

    def read(self, page_range: PageRange) -> Call[_ParsedPage[T_co]]:
        """Read the rows of one page, and parse each."""
        objects: dict[int, T_co] = {}

        def parse(row: Json) -> None:
            objects[id(row)] = self.parse(row)

        if self.rows is None:
            page = yield from page_range.read(self.request, parse)
        else:
            page = yield from ask_for_data(self.request, lambda data: self._whole(data, parse))
        return _ParsedPage(page, objects)

    def _whole(self, data: Any, parse: Callable[[Json], None]) -> ListPage:
        rows = [] if self.rows is None or data is None else self.rows(data)
        for row in rows:
            parse(row)
        return ListPage(rows, len(rows))

    def first(self) -> Self:
        """Return the description of the same list up to its first object."""
        return replace(self, limit=1 if self.limit is None else min(self.limit, 1))

    def count(self) -> Call[int]:
        """Read how many rows the list has."""
        page = (yield from self.read(PageRange(0, 1))).page
        return page.total or len(page.rows)  # a list without pages comes whole, without its length


@dataclass(frozen=True, slots=True)
class _ParsedPage(Generic[T_co]):
    """A page, and the object of each of its rows by the row's identity."""

    page: ListPage
    objects: Mapping[int, T_co]


class _Reading(Generic[T_co]):
    """One reading of a list, up to its limit."""

    def __init__(self, listing: Listing[T_co]) -> None:
        self._listing = listing
        # Rows that are not wanted do not count towards the limit.
        self._pager = Pager(listing.limit if listing.keep is None else None)
        self._left = listing.limit

    def next_ranges(self) -> list[PageRange]:
        """Return the pages that are read next, or an empty list at the end."""
        return [] if self.is_complete else self._pager.next_ranges()

    @property
    def is_complete(self) -> bool:
        """Whether the limit is reached."""
        return self._left == 0

    def objects(self, page_range: PageRange, parsed: _ParsedPage[T_co]) -> list[T_co]:
        """Return the new objects of a page."""
        keep = self._listing.keep
        rows = self._pager.new_rows(page_range, parsed.page)
        wanted = [row for row in rows if keep is None or keep(row)][: self._left]
        if self._left is not None:
            self._left -= len(wanted)
        return [parsed.objects[id(row)] for row in wanted]


class Pages(Generic[T_co]):
    """A list of dbt Cloud. It is read as far as you iterate over it, some pages ahead.

    Each iteration reads the list again. Rows that move to another page meanwhile come once.

    Args:
        listing: What is listed.
        engine: Carries out the requests.
    """

    def __init__(self, listing: Listing[T_co], engine: BlockingEngine) -> None:
        self._listing, self._engine = listing, engine

    def __iter__(self) -> Iterator[T_co]:
        for page in self.pages():
            yield from page

    def pages(self) -> Generator[list[T_co]]:
        """Yield the objects of one page after the other.

        Raises:
            DbtCloudError: If a page cannot be read.
        """
        reading = _Reading(self._listing)
        while ranges := reading.next_ranges():
            with closing(self._engine.ask_each(self._listing.read, ranges)) as pages:
                for page_range, page in zip(ranges, pages, strict=True):
                    yield reading.objects(page_range, page)
                    if reading.is_complete:
                        return

    def all(self) -> list[T_co]:
        """Return all objects of the list."""
        return list(self)

    def first(self) -> T_co | None:
        """Return the first object, or None if the list is empty."""
        with closing(Pages(self._listing.first(), self._engine).pages()) as pages:
            return next((each for page in pages for each in page), None)

    @property
    def total(self) -> int:
        """How many objects dbt Cloud says the list has, whatever the limit. This sends a request."""
        return self._engine.ask(self._listing.count())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._listing.request.path}>"


class AsyncPages(Generic[T_co]):
    """A list of dbt Cloud for `async for`. It is read as far as you iterate over it, some pages ahead.

    Args:
        listing: What is listed.
        engine: Carries out the requests.
    """

    def __init__(self, listing: Listing[T_co], engine: AwaitingEngine) -> None:
        self._listing, self._engine = listing, engine

    async def __aiter__(self) -> AsyncIterator[T_co]:
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for each in page:
                    yield each

    async def pages(self) -> AsyncGenerator[list[T_co]]:
        """Yield the objects of one page after the other.

        Raises:
            DbtCloudError: If a page cannot be read.
        """
        reading = _Reading(self._listing)
        while ranges := reading.next_ranges():
            read = self._engine.ask_each(self._listing.read, ranges)
            async with aclosing(read) as pages:
                for page_range in ranges:
                    yield reading.objects(page_range, await anext(pages))
                    if reading.is_complete:
                        return

    async def all(self) -> list[T_co]:
        """Return all objects of the list."""
        return [each async for each in self]

    async def first(self) -> T_co | None:
        """Return the first object, or None if the list is empty."""
        async with aclosing(AsyncPages(self._listing.first(), self._engine).pages()) as pages:
            async for page in pages:
                if page:
                    return page[0]
        return None

    @property
    async def total(self) -> int:
        """How many objects dbt Cloud says the list has, whatever the limit: `await pages.total`."""
        return await self._engine.ask(self._listing.count())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._listing.request.path}>"

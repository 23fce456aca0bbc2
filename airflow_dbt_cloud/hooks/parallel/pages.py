"""Reads the pages of a list in several threads, and returns them in their order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, Self, TypeAlias

from requests import Response

from airflow_dbt_cloud.hooks.parallel.thread_map import map_in_threads
from dbtcloud.client.models import Json
from dbtcloud.client.paging import ListPage, Pager, PageRange
from dbtcloud.client.protocol import Call, Request, T
from dbtcloud.client.protocol import Response as ClientResponse

CONCURRENT_PAGES = 5
"""Pages that are read at once. dbt Cloud takes some tenths of a second for a page, and one is 200 KB here."""

# zlib's fastest level: rows of a list are so much alike that it makes 6 KB of a page of 165 KB.
_COMPRESSION_LEVEL = 1

OnRows: TypeAlias = Callable[[Sequence[Json], int], Any]
"""Takes the rows of a page, and the total number of rows. Returns False if it wants no more."""


class _Caller(Protocol):
    """A hook's `_call`."""

    def __call__(self, call: Call[T], on_response: Callable[[ClientResponse], object] = bool) -> T:
        """Carry out a call, and give `on_response` each response."""


def read_pages(call: _Caller, request: Request, limit: int | None, each: OnRows | None) -> list[Response]:
    """Return the pages of a list in order, or none where `each` takes their rows.

    Args:
        call: Carries out the calls, in several threads.
        request: The request for the list.
        limit: Rows wanted at most; all if None.
        each: Called with the rows of each page as it arrives. It gets each row once, also while rows are
            added and deleted. No page is kept then.

    Raises:
        MalformedResponse: If the pages contradict each other (see `Pager`).
    """
    if each is not None:
        _hand_over(call, request, Pager(limit), each)
        return []
    pager, pages = Pager(limit, rereads=0), []
    while ranges := pager.next_ranges():
        read = partial(_page, call, request)
        for page_range, (page, response) in zip(ranges, _in_threads(read, ranges), strict=True):
            pager.new_rows(page_range, page)
            pages.append(response)
    return pages


def _hand_over(call: _Caller, request: Request, pager: Pager, each: OnRows) -> None:
    def read(page_range: PageRange) -> ListPage:
        return call(page_range.read(request))

    while ranges := pager.next_ranges():
        for page_range, page in zip(ranges, _in_threads(read, ranges), strict=True):
            if each(pager.new_rows(page_range, page), page.total) is False:
                return


def _page(call: _Caller, request: Request, page_range: PageRange) -> tuple[ListPage, Response]:
    """Return a page and its response. Of the page's rows only the ids are kept, which the pager needs."""
    answers: list[Response] = []
    page = call(page_range.read(request), lambda response: answers.append(response.raw))
    rows: list[Json] = [{"id": row["id"]} for row in page.rows]
    return ListPage(rows, page.total), _CompressedPage.of(answers[-1])


_in_threads = partial(map_in_threads, threads=CONCURRENT_PAGES)


class _CompressedPage(Response):
    """A response with a compressed body, which is decompressed each time it is read."""

    _compressed: bytes | None = None

    @classmethod
    def of(cls, response: Response) -> Self:
        """Return a copy of a response that takes little memory."""
        page = cls()
        for name, value in vars(response).items():
            setattr(page, name, value)
        return page

    @property
    def _content(self) -> bytes | None:  # where requests keeps a body that it has read
        return zlib.decompress(self._compressed) if self._compressed else self._compressed

    @_content.setter
    def _content(self, body: bytes | None) -> None:
        self._compressed = zlib.compress(body, _COMPRESSION_LEVEL) if body else body

"""Reads the pages of a list at the same time, in threads, and hands them on in their order."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Self, TypeAlias, TypeVar

from requests import Response

from dbtcloud.client.models import Json
from dbtcloud.client.paging import ListPage, Pager, PageRange

ABREAST = 5
"""Pages that are asked for at the same time, and that many more that may lie ready: a page takes dbt Cloud
some tenths of a second, and 200 KB here."""

FASTEST = 1
"""zlib's level: rows of a list resemble each other so much that it makes a page of 165 KB one of 6 KB."""

T = TypeVar("T")

Each: TypeAlias = Callable[[Sequence[Json], int], Any]
"""Is given the rows of a page, and how many there are in all; who returns False wants no more."""


def hand_over(pager: Pager, ask: Callable[[PageRange], ListPage], each: Each) -> None:
    """Give `each` the rows of a list as its pages come, each row once; nothing of them is kept."""
    while page_ranges := pager.next_ranges():
        for page_range, page in in_turn(ask, page_ranges):
            if each(pager.new_rows(page_range, page), page.total) is False:
                return


def in_turn(ask: Callable[[PageRange], T], page_ranges: Sequence[PageRange]) -> Iterator[tuple[PageRange, T]]:
    """Yield each page range with what `ask` returns for it, in order; several are read in threads."""
    if len(page_ranges) == 1:
        yield page_ranges[0], ask(page_ranges[0])
        return
    with ThreadPoolExecutor(min(ABREAST, len(page_ranges)), thread_name_prefix="dbt Cloud list") as pool:
        try:
            yield from _in_order(pool, ask, iter(page_ranges))
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, ask: Callable[[PageRange], T], left: Iterator[PageRange]
) -> Iterator[tuple[PageRange, T]]:
    def begun(count: int) -> Iterator[tuple[PageRange, Future[T]]]:
        return ((page_range, pool.submit(ask, page_range)) for page_range in islice(left, count))

    under_way = deque(begun(2 * ABREAST))
    while under_way:
        page_range, asked = under_way.popleft()
        answer = asked.result()
        under_way.extend(begun(1))
        yield page_range, answer


class KeptPage(Response):
    """A response with its body in memory compressed; read as any other, it is unpacked for each reading."""

    _packed: bytes | None = None

    @classmethod
    def of(cls, answer: Response) -> Self:
        """The same response, kept small."""
        page = cls()
        for name, value in vars(answer).items():
            setattr(page, name, value)
        return page

    @property
    def _content(self) -> bytes | None:  # where requests keeps a body that it has read
        return zlib.decompress(self._packed) if self._packed else self._packed

    @_content.setter
    def _content(self, body: bytes | None) -> None:
        self._packed = zlib.compress(body, FASTEST) if body else body

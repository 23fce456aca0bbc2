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
from dbtcloud.client.paging import Page, Part, Reading

ABREAST = 5
"""Pages that are asked for at the same time, and that many more that may lie ready: a page takes dbt Cloud
some tenths of a second, and 200 KB here."""

FASTEST = 1
"""zlib's level: rows of a list resemble each other so much that it makes a page of 165 KB one of 6 KB."""

T = TypeVar("T")

Each: TypeAlias = Callable[[Sequence[Json], int], Any]
"""Is given the rows of a page, and how many there are in all; who returns False wants no more."""


def hand_over(reading: Reading, ask: Callable[[Part], Page], each: Each) -> None:
    """Give `each` the rows of a list as its pages come, each row once; nothing of them is kept."""
    while parts := reading.parts():
        for part, page in in_turn(ask, parts):
            if each(reading.new(part, page), page.total) is False:
                return


def in_turn(ask: Callable[[Part], T], parts: Sequence[Part]) -> Iterator[tuple[Part, T]]:
    """Each part with what `ask` makes of it, in order; it is asked in threads where there are several."""
    if len(parts) == 1:
        yield parts[0], ask(parts[0])
        return
    with ThreadPoolExecutor(min(ABREAST, len(parts)), thread_name_prefix="dbt Cloud list") as pool:
        try:
            yield from _in_order(pool, ask, iter(parts))
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, ask: Callable[[Part], T], left: Iterator[Part]
) -> Iterator[tuple[Part, T]]:
    def begun(count: int) -> Iterator[tuple[Part, Future[T]]]:
        return ((part, pool.submit(ask, part)) for part in islice(left, count))

    under_way = deque(begun(2 * ABREAST))
    while under_way:
        part, asked = under_way.popleft()
        answer = asked.result()
        under_way.extend(begun(1))
        yield part, answer


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

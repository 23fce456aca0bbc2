"""Undoes gzip and notices where it ends too soon, which neither requests nor aiohttp does."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from dbtcloud.client.errors import MalformedResponse

if TYPE_CHECKING:
    from dbtcloud.client.transport.credentials import Credentials

ACCEPTED = "gzip"
"""The only content encoding asked for: it has an end and a checksum of its own. What requests and aiohttp ask
for by themselves depends on what else is installed."""

NAMES = frozenset({"gzip", "x-gzip"})
PLAIN = frozenset({"", "identity"})

WBITS = zlib.MAX_WBITS + 16
"""How zlib is told that gzip is all it may meet."""

WINDOW = 16 * 1024
"""Bytes that zlib is given at a time: it copies what is left of them at every turn."""

MOST = 256 * 1024
"""Bytes that come out at a time, since gzip can make a thousand of one."""


class Undecodable(Exception):
    """A body that is not the gzip that it should be."""


class Gunzip:
    """Undoes gzip as it arrives: one stream or several in a row (RFC 1952), with zeros as padding."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(WBITS)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes stand for, `MOST` bytes at a time at the most.

        Raises:
            Undecodable: If they are damaged, or no gzip.
        """
        for start in range(0, len(data), WINDOW):
            yield from self._pieces(data[start : start + WINDOW])

    def end(self) -> None:
        """Say that all bytes have come.

        Raises:
            Undecodable: If the last stream has not reached its end.
        """
        if not self._stream.eof:
            raise Undecodable("Its gzip ends in the middle")

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while data := self._due(data):
            try:
                piece = self._stream.decompress(data, MOST)
            except zlib.error as error:
                raise Undecodable("Its gzip is damaged") from error
            if piece:
                yield piece
            data = self._stream.unconsumed_tail or self._stream.unused_data

    def _due(self, data: bytes) -> bytes:
        """`data` without padding; where a stream has ended and there is more, another begins."""
        if self._stream.eof and (data := data.lstrip(b"\0")):
            self._stream = zlib.decompressobj(WBITS)
        return data


def unzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What the parts of a whole body stand for.

    Raises:
        Undecodable: If it is damaged, or not whole.
    """
    gunzip = Gunzip()
    for part in parts:
        yield from gunzip.pieces(part)
    gunzip.end()


def is_gzip(headers: Mapping[str, str]) -> bool:
    """Whether a body is to be unzipped, by headers whose case does not matter."""
    return _coding(headers) in NAMES


def check_coding(status: int, headers: Mapping[str, str], credentials: Credentials) -> None:
    """Refuse a 200 whose body cannot be read; any other status counts whatever its body is.

    Raises:
        MalformedResponse: If it is encoded in a way that was not asked for.
    """
    if status == 200 and _coding(headers) not in NAMES | PLAIN:
        coding = credentials.mask(headers["Content-Encoding"])
        raise MalformedResponse(
            f"The answer from {credentials.base_url} is encoded as {coding!r}",
            why=f"Asked for was {ACCEPTED!r} or nothing, and nothing else can be read",
            fix="Look at the proxies on the way",
        )


def tells_its_end(headers: Mapping[str, str]) -> bool:
    """Whether a body's end is known by more than the end of the connection: by its length, chunks or gzip."""
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    return "Content-Length" in headers or chunked or is_gzip(headers)


def _coding(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Encoding", "").strip().lower()

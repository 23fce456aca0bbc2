"""Decompress gzip bodies, and notice if one is cut: neither requests nor aiohttp does."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping

ACCEPTED_ENCODING = "gzip"
"""The only content encoding that requests ask for. It has an end and a checksum of its own. What requests and
aiohttp would ask for by themselves depends on the installed packages."""

INPUT_SIZE = 16 * 1024
"""Bytes that zlib gets at a time: it copies those that it has not used."""

CHUNK_SIZE = 256 * 1024
"""Bytes that a sink gets at a time: few, because compressed ones can grow twentyfold."""

_OUTPUT_SIZE = 256 * 1024
"""Largest number of bytes that come out at a time: gzip can turn one byte into a thousand."""

_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_PLAIN_NAMES = frozenset({"", "identity"})
_WBITS = zlib.MAX_WBITS + 16  # zlib's way to say: gzip and nothing else


class GzipError(Exception):
    """A body that should be gzip is damaged or incomplete."""


class GzipDecoder:
    """A decoder for gzip that arrives in chunks.

    The body is one gzip stream or several in a row (RFC 1952), with zeros as padding.
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_WBITS)

    @classmethod
    def decompress(cls, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Decompress the chunks of a whole body.

        Raises:
            GzipError: If the body is damaged or incomplete.
        """
        decoder = cls()
        for chunk in chunks:
            yield from decoder.decode(chunk)
        decoder.finish()

    @classmethod
    def decompress_body(cls, body: bytes, *, must_be_whole: bool) -> bytes:
        """Decompress a whole body at once. One that need not be whole is read as far as possible.

        Raises:
            GzipError: If it is damaged or incomplete and must be whole.
        """
        plain = bytearray()
        try:
            for chunk in cls.decompress([body]):
                plain += chunk
        except GzipError:
            if must_be_whole:
                raise
        return bytes(plain)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes, into chunks of at most `_OUTPUT_SIZE` bytes.

        Raises:
            GzipError: If the bytes are damaged or not gzip.
        """
        for start in range(0, len(data), INPUT_SIZE):
            yield from self._decode(data[start : start + INPUT_SIZE])

    def finish(self) -> None:
        """Check that the last stream is complete, after all bytes have arrived.

        Raises:
            GzipError: If it is not.
        """
        if not self._stream.eof:
            raise GzipError("Its gzip data is incomplete")

    def _decode(self, data: bytes) -> Iterator[bytes]:
        while data := self._next_input(data):
            try:
                chunk = self._stream.decompress(data, _OUTPUT_SIZE)
            except zlib.error as error:
                raise GzipError("Its gzip data is damaged") from error
            if chunk:
                yield chunk
            data = self._stream.unconsumed_tail or self._stream.unused_data

    def _next_input(self, data: bytes) -> bytes:
        # After the end of a stream: zeros are padding, anything else begins another stream.
        if self._stream.eof and (data := data.lstrip(b"\0")):
            self._stream = zlib.decompressobj(_WBITS)
        return data


class BodyEncoding:
    """What the headers of a response say on its body.

    Args:
        headers: The headers. Upper and lower case must not matter in their names.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._name = headers.get("Content-Encoding", "").strip().lower()

    @property
    def is_gzip(self) -> bool:
        """Whether the body is gzip."""
        return self._name in _GZIP_NAMES

    @property
    def is_readable(self) -> bool:
        """Whether the body has an encoding that can be read: gzip or none."""
        return self._name in _GZIP_NAMES | _PLAIN_NAMES

    @property
    def has_known_end(self) -> bool:
        """Whether the body's end can be told from a lost connection: by its length, chunks or gzip."""
        chunked = "chunked" in self._headers.get("Transfer-Encoding", "").lower()
        return "Content-Length" in self._headers or chunked or self.is_gzip

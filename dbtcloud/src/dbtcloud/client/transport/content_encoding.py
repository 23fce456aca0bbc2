"""Decompress gzip bodies, notice if one is cut, and limit their size: neither requests nor aiohttp does."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from dbtcloud.client.errors import DbtCloudError

ACCEPTED_ENCODING = "gzip"
"""The only content encoding that requests ask for. It has an end and a checksum of its own. What requests and
aiohttp would ask for by themselves depends on the installed packages."""

INPUT_SIZE = 16 * 1024
"""Bytes that zlib gets at a time: it copies those that it has not used."""

CHUNK_SIZE = 256 * 1024
"""Bytes that a sink gets at a time: few, because compressed ones can grow twentyfold."""

_OUTPUT_SIZE = 256 * 1024
"""Largest number of bytes that come out at a time: gzip can turn one byte into a thousand."""

_UNSUSPICIOUS_SIZE = 16 * 1024 * 1024
"""Bytes up to which a body may grow however much: short texts of one character are harmless."""

_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_PLAIN_NAMES = frozenset({"", "identity"})
_WBITS = zlib.MAX_WBITS + 16  # zlib's way to say: gzip and nothing else


class GzipError(Exception):
    """A body that should be gzip is damaged or incomplete."""


class BodyLimit:
    """Counts the bytes of one body, and refuses a body that becomes too large.

    Args:
        size: Largest number of bytes, after decompression.
        ratio: Largest number of bytes that one byte may grow to by decompression.
        refuse: Makes the error from its reason and the name of the limit that was exceeded.
    """

    def __init__(self, size: int, ratio: float, refuse: Callable[[str, str], DbtCloudError]) -> None:
        self._size, self._ratio, self._refuse = size, ratio, refuse
        self._received = self._plain = 0

    def add(self, chunk: bytes) -> bytes:
        """Count a chunk of a body that is not compressed, and return it.

        Raises:
            DbtCloudError: If the body is too large.
        """
        self.add_received(chunk)
        self.add_decompressed(chunk)
        return chunk

    def add_received(self, chunk: bytes) -> None:
        """Count bytes that have arrived, perhaps compressed.

        Raises:
            DbtCloudError: If the body is too large.
        """
        self._received += len(chunk)
        self._check_size(self._received)

    def add_decompressed(self, chunk: bytes) -> None:
        """Count bytes of the body itself.

        Raises:
            DbtCloudError: If the body is too large.
        """
        self._plain += len(chunk)
        self._check_size(self._plain)
        if self._plain > max(_UNSUSPICIOUS_SIZE, self._ratio * self._received):
            raise self._refuse(f"Decompression makes more than {self._ratio:g} bytes of one", "ratio")

    def _check_size(self, size: int) -> None:
        if size > self._size:
            raise self._refuse(f"It has more than {self._size / 1024 / 1024:g} MiB", "size")


class GzipDecoder:
    """A decoder for gzip that arrives in chunks.

    The body is one gzip stream or several in a row (RFC 1952), with zeros as padding.

    Args:
        limit: The limits of the body's size.
    """

    def __init__(self, limit: BodyLimit) -> None:
        self._limit = limit
        self._stream = zlib.decompressobj(_WBITS)

    @classmethod
    def decompress(cls, chunks: Iterable[bytes], limit: BodyLimit) -> Iterator[bytes]:
        """Decompress the chunks of a whole body.

        Raises:
            GzipError: If the body is damaged or incomplete.
            DbtCloudError: If it exceeds a limit.
        """
        decoder = cls(limit)
        for chunk in chunks:
            yield from decoder.decode(chunk)
        decoder.finish()

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes, into chunks of at most `_OUTPUT_SIZE` bytes.

        Raises:
            GzipError: If the bytes are damaged or not gzip.
            DbtCloudError: If the body exceeds a limit.
        """
        for start in range(0, len(data), INPUT_SIZE):
            piece = data[start : start + INPUT_SIZE]
            self._limit.add_received(piece)
            for plain in self._decode(piece):
                self._limit.add_decompressed(plain)
                yield plain

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
        return self._headers.get("Content-Length", "").strip().isdigit() or chunked or self.is_gzip

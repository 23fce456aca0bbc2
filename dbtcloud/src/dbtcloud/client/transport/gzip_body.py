"""Decompress the bodies that requests reads, and those that aiohttp passes to a sink."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbtcloud.client.transport.content_encoding import GzipDecoder, GzipError, is_gzip

if TYPE_CHECKING:
    import requests

    from dbtcloud.client.protocol import Sink


def check_gzip(response: requests.Response, **_: object) -> requests.Response:
    """Make requests notice an incomplete gzip body. This is a response hook of requests."""
    if is_gzip(response.headers):
        must_be_whole = response.status_code == 200 and response.request.method != "HEAD"
        response.raw = _GzipRawResponse(response.raw, must_be_whole=must_be_whole)
    return response


class _GzipRawResponse:
    """A response of urllib3, for requests to read, whose gzip is decompressed here.

    Args:
        raw: The response of urllib3.
        must_be_whole: Whether an incomplete body is an error. That of an error response is not: its status
            counts, whatever can be read of the body.
    """

    def __init__(self, raw: Any, *, must_be_whole: bool) -> None:
        self._raw, self._must_be_whole = raw, must_be_whole

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """Read the body in chunks.

        Raises:
            urllib3.exceptions.DecodeError: If the body is incomplete and must be whole.
            urllib3.exceptions.HTTPError: If the connection fails.
        """
        chunks: Iterator[bytes] = self._raw.stream(amount, decode_content=False)
        return self._decompress(chunks) if decode_content else chunks

    def _decompress(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        from urllib3.exceptions import DecodeError

        try:
            yield from GzipDecoder.decompress(chunks)
        except GzipError as error:
            self._raw.close()
            if self._must_be_whole:
                raise DecodeError(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class GzipSink:
    """A sink for gzip that passes the decompressed bytes to another sink.

    Args:
        sink: The other sink.

    Raises:
        GzipError: From `write` and `end`, if the body is damaged or incomplete.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink, self._decoder = sink, GzipDecoder()

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start a new body (see `Sink`)."""
        self._decoder = GzipDecoder()
        self._sink.begin(has_known_end=has_known_end)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        for plain in self._decoder.decode(chunk):
            self._sink.write(plain)

    def end(self) -> None:
        """Finish the body (see `Sink`)."""
        self._decoder.finish()
        self._sink.end()

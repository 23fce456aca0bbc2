"""Where gzip is undone: in the raw answers of requests, and before sinks and in bodies that aiohttp read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbtcloud.client.transport.content_encoding import Gunzip, Undecodable, is_gzip, unzipped

if TYPE_CHECKING:
    import requests

    from dbtcloud.client.protocol import Sink


def watch_gzip(answer: requests.Response, **_: object) -> requests.Response:
    """A response hook of requests: have it notice a gzipped body that is not whole."""
    if is_gzip(answer.headers):
        whole = answer.status_code == 200 and answer.request.method != "HEAD"
        answer.raw = Unpacked(answer.raw, whole=whole)
    return answer


class Unpacked:
    """urllib3's answer as requests reads it, with gzip undone here.

    Args:
        raw: The answer.
        whole: Whether its body is all or nothing; otherwise it is as much as can be read, since the status of
            an error counts whatever its body is.
    """

    def __init__(self, raw: Any, *, whole: bool) -> None:
        self._raw, self._whole = raw, whole

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """The body in pieces.

        Raises:
            urllib3.exceptions.DecodeError: If it is not whole and should be.
            urllib3.exceptions.HTTPError: If the connection fails.
        """
        parts: Iterator[bytes] = self._raw.stream(amount, decode_content=False)
        return self._unzipped(parts) if decode_content else parts

    def _unzipped(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        from urllib3.exceptions import DecodeError

        try:
            yield from unzipped(parts)
        except Undecodable as error:
            self._raw.close()
            if self._whole:
                raise DecodeError(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class UnpackingSink:
    """Takes gzip and hands on what it stands for; its errors are also those of `Gunzip`.

    Args:
        sink: What it is handed to.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink, self._gunzip = sink, Gunzip()

    def begin(self, *, tells_its_end: bool = True) -> None:
        """See `Sink`."""
        self._gunzip = Gunzip()
        self._sink.begin(tells_its_end=tells_its_end)

    def write(self, chunk: bytes) -> None:
        """See `Sink`."""
        for piece in self._gunzip.pieces(chunk):
            self._sink.write(piece)

    def end(self) -> None:
        """See `Sink`."""
        self._gunzip.end()
        self._sink.end()


def body_of(packed: bytes, *, whole: bool) -> bytes:
    """What a gzipped body stands for: all of it or, unless it has to be `whole`, as much as can be read.

    Raises:
        Undecodable: If it is not whole and should be.
    """
    body = bytearray()
    try:
        for piece in unzipped([packed]):
            body += piece
    except Undecodable:
        if whole:
            raise
    return bytes(body)

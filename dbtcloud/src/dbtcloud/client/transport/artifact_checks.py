"""Refuse what is not the artifact that was asked for: a web page, an error, and an empty or cut body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.protocol import Request, Sink
from dbtcloud.client.transport.content_encoding import BodyEncoding

_START_SIZE = 1024
"""Bytes at the start of a body by which a web page is recognised."""

_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s|<!--.*?-->|<\?xml\b.*?\?>)*+<(?:!doctype\s+html|html|head)\b",
    re.IGNORECASE | re.DOTALL,
)
# The envelope of an error that came with a 200.
_ERROR = re.compile(
    rb'\s*+\{\s*+(?:"data"\s*+:\s*+null\s*+,\s*+)?"status"\s*+:\s*+\{[^{}]*?"is_success"\s*+:\s*+false\b'
)
_IS_WEB_PAGE = "It is a web page (HTML), perhaps from a login page or a proxy"


def check_head(request: Request, status: int, headers: Mapping[str, str]) -> None:
    """Refuse the answer to a request for an artifact by its headers.

    Args:
        request: The request.
        status: The status of the answer. Only a 200 is checked: nothing else is taken for an artifact.
        headers: The headers. Upper and lower case must not matter in their names.

    Raises:
        MalformedResponse: If it is a web page, or nothing shows whether its body is complete.
    """
    if status != 200 or not request.is_artifact:
        return
    if "html" in headers.get("Content-Type", "").lower() and not _may_be_web_page(request):
        raise _not_the_artifact(request, _IS_WEB_PAGE)
    if not BodyEncoding(headers).has_known_end and not _is_json(request):
        raise _not_the_artifact(
            request, "It has neither a length nor chunks, so nothing shows whether it is complete"
        )


def check_body(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Refuse the answer to a request for an artifact by its body, which has arrived.

    Raises:
        MalformedResponse: If it is empty, a web page, an error message, or JSON that is incomplete.
    """
    if status != 200 or not request.is_artifact:
        return
    _check_start(request, body[:_START_SIZE])
    if not BodyEncoding(headers).has_known_end and not _parses(body):
        raise _not_the_artifact(request, "It is incomplete or damaged JSON")


class CheckedSink:
    """A sink that passes an artifact to another sink.

    Args:
        sink: The other sink.
        request: The request for the artifact.

    Raises:
        MalformedResponse: From `end`, if the body is empty, a web page or an error message.
    """

    def __init__(self, sink: Sink, request: Request) -> None:
        self._sink, self._request, self._start = sink, request, b""

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start the body (see `Sink`)."""
        self._start = b""
        self._sink.begin(has_known_end=has_known_end)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        if len(self._start) < _START_SIZE:
            self._start += chunk[:_START_SIZE]
        self._sink.write(chunk)

    def end(self) -> None:
        """Finish the body (see `Sink`)."""
        if self._request.is_artifact:
            _check_start(self._request, self._start)
        self._sink.end()


def _check_start(request: Request, start: bytes) -> None:
    if not start:
        raise _not_the_artifact(request, "It is empty")
    if _WEB_PAGE.match(start) and not _may_be_web_page(request):
        raise _not_the_artifact(request, _IS_WEB_PAGE)
    if _ERROR.match(start):
        raise _not_the_artifact(request, "It is an error message of dbt Cloud")


def _may_be_web_page(request: Request) -> bool:
    return request.path.lower().endswith((".html", ".htm"))


def _is_json(request: Request) -> bool:
    return request.path.lower().endswith(".json")


def _parses(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _not_the_artifact(request: Request, why: str) -> MalformedResponse:
    return MalformedResponse(f"The answer to {request} is not the artifact", why=why)

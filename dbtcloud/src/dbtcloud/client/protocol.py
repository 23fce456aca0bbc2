"""The words of a conversation with dbt Cloud: requests, pauses, responses, and the calls made of them."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlencode

from dbtcloud.client.errors import InvalidArgument, MalformedResponse

T = TypeVar("T")


class Sink(Protocol):
    """Takes a body piece by piece, so that it need not fit into memory."""

    def begin(self, *, tells_its_end: bool = True) -> None:
        """An answer begins; what came of an earlier one is worth nothing any more.

        Args:
            tells_its_end: False where only the end of the connection ends the body, so that it may be cut
                without anybody noticing.
        """

    def write(self, chunk: bytes) -> None:
        """The next bytes, content encoding undone."""

    def end(self) -> None:
        """All bytes have come."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, free of host and credentials.

    Attributes:
        method: "GET" or "POST".
        path: Absolute path, already percent-encoded.
        query: Names and values in the API's own wire form, in the order they are sent.
        body: What is sent as JSON, or None.
        accept: The media type asked for; artifacts are asked for as "*/*".
        repeatable: Whether sending it twice does no more than sending it once.
        service: Which of dbt Cloud's hosts it goes to: "admin" or "discovery".
        sink: Takes the body of a 200, which the response then lacks. Its own errors must not be OSErrors:
            those are taken for the network's.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accept: str = "application/json"
    repeatable: bool = True
    service: str = "admin"
    sink: Sink | None = field(default=None, repr=False, compare=False)

    @property
    def target(self) -> str:
        """Path and query, encoded once so that every engine sends the same bytes."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as compact JSON, or None."""
        return None if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to this request; credentials are the engine's."""
        content_type = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Accept": self.accept, **content_type}

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause of some seconds, taken by the engine."""

    seconds: float


@dataclass(frozen=True)
class Response:
    """An answer as it came over the wire.

    Attributes:
        status: The HTTP status code.
        headers: Header names in lower case.
        body: The bytes, content encoding undone.
        raw: The engine's own response object, for callers that want that.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: Any = field(default=None, repr=False)

    @cached_property
    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is not."""
        return json.loads(self.body)


Call: TypeAlias = Generator[Request | Sleep, Response | None, T]
"""A conversation: yields what is to be done, is sent the answers, returns its result."""


def ask(request: Request) -> Call[Response]:
    """Send one request and return its answer."""
    response = yield request
    if response is None:
        raise RuntimeError(f"The engine sent no response to {request}.")
    return response


def identifier(value: object, what: str) -> str:
    """A numeric id as text, from an int or from digits in a string.

    Raises:
        InvalidArgument: If it is anything else; ids become part of a path that is sent with the token.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise InvalidArgument(
            f"{value!r} is not a valid {what}",
            why="dbt Cloud ids are whole numbers",
            fix=f"Give the {what} as a number; names go into project_name, environment_name and job_name",
        )
    return text


def file_path(path: str) -> str:
    """An artifact's path, percent-encoded segment by segment.

    Raises:
        InvalidArgument: If a segment is empty, `.` or `..`, also after decoding: HTTP libraries resolve
            those, and the request would reach another endpoint.
    """
    segments = path.split("/")
    if any(_decoded(segment) in {"", ".", ".."} or "/" in _decoded(segment) for segment in segments):
        raise InvalidArgument(
            f"{path!r} is not a valid artifact path",
            why="It has an empty, '.' or '..' part",
            fix="Give a path in the run's target folder, such as 'manifest.json' or 'compiled/shop/a.sql'",
        )
    return "/".join(quote(segment, safe="") for segment in segments)


def _decoded(segment: str) -> str:
    """The segment after any number of percent-decodings, backslashes read as slashes."""
    while (plain := unquote(segment)) != segment:
        segment = plain
    return segment.replace("\\", "/")


def envelope(request: Request, response: Response) -> Mapping[str, Any]:
    """The answer's JSON object with its `status`, `data` and, for lists, `extra`.

    Raises:
        MalformedResponse: If the body is not such an object.
    """
    try:
        body = response.json
    except ValueError as error:
        raise MalformedResponse(f"The answer to {request} is not JSON", why=str(error)) from error
    if not isinstance(body, dict) or "data" not in body:
        raise MalformedResponse(
            f"The answer to {request} is not a dbt Cloud envelope", why="It has no 'data'"
        )
    return body

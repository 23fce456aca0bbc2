"""The requests, responses and calls of the client, without input or output.

A call is a generator. It yields each request that it needs, receives the response, and returns its result. An
engine (`transport.sync_client` or `transport.async_client`) sends the requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlencode

from dbtcloud.client.errors import (
    DbtCloudError,
    InvalidArgument,
    MalformedResponse,
    TransportError,
)
from dbtcloud.client.shown_text import Mask, shown_value
from dbtcloud.client.typed_json import parse_json

T = TypeVar("T")

_MAX_DIGITS = 19  # of an id; dbt Cloud stores them as BIGINT

Id = int | str
"""An id as a number or as a string of digits."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ANY_FILE = "*/*"
"""The media type that requests for artifacts ask for: they are files of any kind."""


class Sink(Protocol):
    """A receiver of a response body in chunks, so that the body need not fit into memory."""

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start a new body and drop what came of an earlier attempt.

        Args:
            has_known_end: False if only the end of the connection ends the body, so that nobody notices when
                it is cut.
        """

    def write(self, chunk: bytes) -> None:
        """Take the next bytes, already decompressed."""

    def end(self) -> None:
        """Finish the body after all bytes have arrived."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request without host and credentials.

    Attributes:
        method: "GET" or "POST".
        path: Absolute path, already percent-encoded.
        query: Names and values as the API expects them, in the order in which they are sent.
        body: What is sent as JSON, or None.
        accept: The media type that is asked for; `ANY_FILE` for artifacts.
        repeatable: Whether sending it twice has the same effect as sending it once.
        service: The dbt Cloud service that it goes to: "admin" or "discovery".
        sink: Receives the body of a 200; the response then has none. A sink must not raise OSError, because
            an engine takes that for an error of the network.
        check: Raises MalformedResponse for a response that is not what was asked for. The request then counts
            as failed, as after a 502, and may be sent again.
        secrets: Texts in the body that no message about the answer shows.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    accept: str = "application/json"
    repeatable: bool = True
    service: str = "admin"
    sink: Sink | None = field(default=None, repr=False, compare=False)
    check: Callable[[Response], object] | None = field(default=None, repr=False, compare=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def get(
        cls, account_id: Id, *parts: str, version: str = "v2", query: Mapping[str, object] | None = None
    ) -> Self:
        """Return a GET request for a path below an account.

        Args:
            account_id: The account.
            parts: The parts of the path.
            version: "v2" or "v3".
            query: The query. Values that are None are left out; a list is sent as one JSON array.
        """
        return cls("GET", _account_path(account_id, *parts, version=version), _query_values(query or {}))

    @classmethod
    def post(
        cls,
        account_id: Id,
        *parts: str,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = False,
    ) -> Self:
        """Return a POST request for a path below an account (v2)."""
        return cls("POST", _account_path(account_id, *parts), body=body, repeatable=repeatable)

    @classmethod
    def custom(cls, method: str, path: str, payload: Mapping[str, Any] | None, version: str) -> Self:
        """Return a request for a path after `accounts/` for which there is no endpoint call.

        Args:
            method: "GET" or "POST".
            path: The path, such as "1/steps/4/". It may be empty.
            payload: The query of a GET, or the body of a POST.
            version: "v2" or "v3".

        Raises:
            InvalidArgument: If the path holds an empty, `.` or `..` segment.
        """
        base = f"/api/{version}/accounts"
        full = f"{base}/{file_path(path.strip('/'))}" if path else base
        if method.upper() != "GET":
            return cls(method.upper(), f"{full}/", body=payload or {}, repeatable=False)
        # Paths of v2 end in a slash, except those of artifacts: they are files of any kind. In v3 most do.
        if "/artifacts/" in full:
            return cls("GET", full, _query_values(payload or {}), accept=ANY_FILE)
        return cls("GET", f"{full}/", _query_values(payload or {}))

    @classmethod
    def any(
        cls,
        account_id: Id,
        method: str,
        path: str,
        *,
        params: Mapping[str, object],
        body: Mapping[str, Any] | None,
        version: str,
    ) -> Self:
        """Return any request to the Admin API.

        Args:
            account_id: The account.
            method: The HTTP method.
            path: The path after the account, or a whole path that begins with "/api/".
            params: The query.
            body: What is sent as JSON, or None.
            version: "v2" or "v3", for a path after the account.

        Raises:
            InvalidArgument: If the method is not one of HTTP's, or the path has a query or a bad part.
        """
        name = str(method).strip().upper()
        if name not in _METHODS:
            raise InvalidArgument(
                f"The method {shown_value(method)} is none of dbt Cloud's API",
                fix=f"Use one of {', '.join(_METHODS)}",
            )
        fix = "Give one such as 'steps/4/', or a whole one such as '/api/v3/accounts/'"
        if not isinstance(path, str):
            raise InvalidArgument(f"The path of a request is {shown_value(path)}, no text", fix=fix)
        if "?" in path or "#" in path:
            raise InvalidArgument(f"The path {path!r} has a query", fix="Give the query as params")
        is_whole = path.startswith("/api/")
        end = "/" if path.endswith("/") else ""
        inner = _safe_path(path.strip("/"), "path of a request", fix) if path.strip("/") else ""
        full = f"/{inner}{end}" if is_whole else _account_path(account_id, version=version) + inner + end
        return cls(name, full, _query_values(params), body=body, repeatable=name == "GET")

    @property
    def is_artifact(self) -> bool:
        """Whether the answer is an artifact, which only a complete 200 is."""
        return self.accept == ANY_FILE

    @property
    def is_file(self) -> bool:
        """Whether the answer is an artifact, or is streamed to a sink."""
        return self.is_artifact or self.sink is not None

    @property
    def target(self) -> str:
        """Path and query, encoded here so that every engine sends the same bytes."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as compact JSON, or None.

        Raises:
            InvalidArgument: If a value in it has no form in JSON.
        """
        if self.body is None:
            return None
        try:
            return json.dumps(self.body, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise InvalidArgument(
                f"The body of {self} cannot be written as JSON", why=str(error), fix="Correct the value"
            ) from error

    @property
    def headers(self) -> dict[str, str]:
        """The headers of this request without those for authentication."""
        content_type = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Accept": self.accept, **content_type}

    def may_repeat_after(self, error: DbtCloudError) -> bool:
        """Return whether a second attempt cannot make a change twice.

        A request that changes something may be repeated only if the first attempt certainly had no effect: no
        byte of it was sent. A 429 does not prove that: a proxy may send it after dbt Cloud has acted.
        """
        return self.repeatable or (isinstance(error, TransportError) and not error.sent)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause between two requests of a call.

    Attributes:
        seconds: How long the engine waits.
    """

    seconds: float


@dataclass(frozen=True)
class Response:
    """One HTTP response.

    Attributes:
        status: The HTTP status code.
        headers: Header names in lower case.
        body: The bytes, already decompressed.
        raw: The response object of the engine's HTTP library.
        mask: Masks the token in texts that are made of the response.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    raw: Any = field(default=None, repr=False)
    mask: Mask = field(default=str, repr=False, compare=False)

    @cached_property
    def json(self) -> Any:
        """The body, parsed as JSON.

        Raises:
            ValueError: If it is not JSON that can be used (see `parse_json`).
        """
        return parse_json(self.body)

    def envelope(self, request: Request) -> Mapping[str, Any]:
        """Return the body as a JSON object with `status`, `data` and, for lists, `extra`.

        Raises:
            MalformedResponse: If the body is not such an object. The message names `request`.
        """
        if not self.body.strip():
            raise MalformedResponse(f"The answer to {request} is empty", why=f"Its status is {self.status}")
        try:
            body = self.json
        except ValueError as error:
            raise MalformedResponse(f"The answer to {request} is not JSON", why=str(error)) from error
        if not isinstance(body, Mapping) or "data" not in body:
            raise MalformedResponse.unexpected(
                f"The answer to {request} is not in the format of dbt Cloud's API, which has a 'data'", body
            )
        status = body.get("status")
        if isinstance(status, Mapping) and status.get("is_success") is False:
            raise MalformedResponse(
                f"The answer to {request} contradicts itself",
                why=f"It has the HTTP status {self.status}, but its 'is_success' is false",
            )
        return body


Call: TypeAlias = Generator[Request | Sleep, Response | None, T]
"""A generator that yields requests and pauses, receives the responses, and returns a result."""


def ask(request: Request) -> Call[Response]:
    """Send one request and return its response."""
    response = yield request
    if response is None:
        raise RuntimeError(f"The engine sent no response to {request}.")
    return response


def ask_for(request: Request, read: Callable[[Response], T]) -> Call[T]:
    """Send one request, and return what `read` makes of its response.

    A response for which `read` raises MalformedResponse counts as a failed attempt.
    """
    results: list[T] = []

    def check(response: Response) -> None:
        results[:] = [read(response)]

    yield from ask(replace(request, check=check))
    return results[0]


def ask_for_data(request: Request, parse: Callable[[Any], T]) -> Call[T]:
    """Send one request, and return what `parse` makes of the `data` of its response (see `ask_for`)."""
    return (yield from ask_for(request, lambda response: parse(response.envelope(request)["data"])))


def identifier(value: object, what: str) -> str:
    """Return a numeric id as text.

    Args:
        value: An int, or a string of digits.
        what: The name of the id in an error message, such as "job id".

    Raises:
        InvalidArgument: If it is anything else. An id becomes part of a path that is sent with the token.
    """
    try:
        text, shown = str(value).strip(), shown_value(value)
    except ValueError:  # Python writes no number with more than 4,300 digits
        text, shown = "", "A number of more than 4,300 digits"
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise InvalidArgument(
            f"{shown[:1].upper()}{shown[1:]} is not a valid {what}",
            why=f"dbt Cloud ids are whole numbers of at most {_MAX_DIGITS} digits",
            fix=f"Give the {what} as a number",
        )
    return text


def file_path(path: str) -> str:
    """Return an artifact's path with each segment percent-encoded.

    Raises:
        InvalidArgument: If a segment is empty, `.` or `..`, also after decoding. HTTP libraries resolve such
            segments, and the request would reach another endpoint.
    """
    fix = "Give a path in the run's target folder, such as 'manifest.json' or 'compiled/shop/a.sql'"
    return _safe_path(path, "artifact path", fix)


def _safe_path(path: str, what: str, fix: str) -> str:
    is_text = isinstance(path, str)
    why = "It has an empty, '.' or '..' part" if is_text else "It has to be a text"
    segments = path.split("/") if is_text else [""]
    if any(_decoded(segment) in {"", ".", ".."} or "/" in _decoded(segment) for segment in segments):
        raise InvalidArgument(f"{path!r} is not a valid {what}", why=why, fix=fix)
    return "/".join(quote(segment, safe="") for segment in segments)


def _decoded(segment: str) -> str:
    """Return the segment after any number of percent-decodings, with slashes for backslashes."""
    while (plain := unquote(segment)) != segment:
        segment = plain
    return segment.replace("\\", "/")


def _account_path(account_id: Id, *parts: str, version: str = "v2") -> str:
    return "/".join(("/api", version, "accounts", identifier(account_id, "account id"), *parts, ""))


def _query_values(values: Mapping[str, object]) -> dict[str, str]:
    """Return query values in the form that the API takes, without those that are None."""
    return {name: _query_value(value) for name, value in values.items() if value is not None}


def _query_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        items = sorted(value) if isinstance(value, set | frozenset) else list(value)
        return json.dumps(items, separators=(",", ":"), default=str)
    return str(value)

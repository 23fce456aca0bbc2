"""What callbacks learn of each request of a client: never the token, the query or a body."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from dbtcloud.client.errors import ApiError, DbtCloudError
from dbtcloud.client.protocol import Request, Response

log = logging.getLogger(__name__)

_REQUEST_ID = "x-request-id"


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """A request that is about to be sent.

    Attributes:
        method: The HTTP method.
        path: The path without its query.
        attempt: How often it has been sent with this one, from 1.
    """

    method: str
    path: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ResponseEvent(RequestEvent):
    """The answer to a request, or the failure to get one.

    Attributes:
        status: The HTTP status code, or None if no answer came.
        seconds: How long it took.
        request_id: The id that dbt Cloud gave the request (`X-Request-Id`), or None.
        error: Why there is no answer, or None.
    """

    status: int | None
    seconds: float
    request_id: str | None = None
    error: DbtCloudError | None = field(default=None, repr=False)


OnRequest: TypeAlias = Callable[[RequestEvent], object]
OnResponse: TypeAlias = Callable[[ResponseEvent], object]

_Event = TypeVar("_Event", bound=RequestEvent)


class RequestTrace:
    """The requests of one call, which counts their attempts.

    Args:
        on_request: Called before each attempt.
        on_response: Called after each attempt.
    """

    def __init__(self, on_request: OnRequest | None, on_response: OnResponse | None) -> None:
        self._on_request, self._on_response = on_request, on_response
        self._last: Request | None = None
        self._attempt, self._began = 0, 0.0

    def begin(self, request: Request) -> None:
        """Note that a request is about to be sent."""
        # An engine sends the same object again.
        self._attempt = self._attempt + 1 if request is self._last else 1
        self._last, self._began = request, time.monotonic()
        if self._on_request is not None:
            _report(self._on_request, RequestEvent(request.method, request.path, self._attempt))

    def end(self, request: Request, outcome: Response | DbtCloudError) -> None:
        """Note the answer to the request, or why there is none."""
        if self._on_response is None:
            return
        seconds = time.monotonic() - self._began
        if isinstance(outcome, Response):
            facts = (outcome.status, seconds, outcome.headers.get(_REQUEST_ID))
            _report(self._on_response, ResponseEvent(request.method, request.path, self._attempt, *facts))
        else:
            status = outcome.status if isinstance(outcome, ApiError) else None
            event = ResponseEvent(request.method, request.path, self._attempt, status, seconds, error=outcome)
            _report(self._on_response, event)


def _report(callback: Callable[[_Event], object], event: _Event) -> None:
    # An error here would lose the answer to a request that dbt Cloud has carried out, or send it again.
    try:
        callback(event)
    except Exception:
        log.exception("A callback failed at %s %s; the request goes on.", event.method, event.path)

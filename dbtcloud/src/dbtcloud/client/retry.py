"""Turn responses that cannot be used into errors, and decide whether a failed request is sent again.

Only this module maps a status to an exception.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeAlias

from dbtcloud.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    DbtCloudError,
    Forbidden,
    MalformedResponse,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    RequestTimeout,
    ServerError,
    TransportError,
    Unauthorized,
    Unprocessable,
)
from dbtcloud.client.protocol import Call, Request, Response, Sleep, T, ask
from dbtcloud.client.shown_text import Mask

log = logging.getLogger(__name__)

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    408: RequestTimeout,
    409: Conflict,
    422: Unprocessable,
}
_LOGIN_PAGE_HINT = (
    "Check the host: it should be the Access URL from the account settings of dbt Cloud, "
    "such as ab123.us1.dbt.com, with no path"
)

RetryDecision: TypeAlias = Callable[[Request, DbtCloudError, int], float | None]
"""Takes a request, its error and the number of attempts so far. Returns the seconds to wait before the next
attempt, or None to give up."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A retry decision with exponential backoff.

    Attributes:
        attempts: Largest number of times that a repeatable request is sent.
        delay: Seconds before the second attempt. The delay doubles with each further attempt.
        max_delay: Largest number of seconds between two attempts. A longer `Retry-After` ends the attempts,
            so that the caller decides what to do instead of being blocked.
    """

    attempts: int = 4
    delay: float = 1.0
    max_delay: float = 30.0

    def __call__(self, request: Request, error: DbtCloudError, attempt: int) -> float | None:
        """Return the seconds to wait before the request is sent again, or None to give up."""
        if attempt >= self.attempts or not error.retryable or not request.may_repeat_after(error):
            return None
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.max_delay else None
        return min(self.delay * 2.0 ** (attempt - 1), self.max_delay)


DEFAULT_RETRY = RetryPolicy()
"""Four attempts, with delays of 1, 2 and 4 seconds."""

RETRY_ONCE = RetryPolicy(attempts=2)
"""Two attempts, for answers that are useful but not worth a long wait."""

NO_RETRY = RetryPolicy(attempts=1)
"""One attempt, for callers that retry by themselves or need the first answer."""


class Execution(Generic[T]):
    """A call that an engine carries out step by step. Each of its requests is retried.

    Args:
        call: The call.
        retry: Decides whether a failed request is sent again.
        on_response: Called with each response that `call` receives. Failed attempts are left out.

    Attributes:
        result: What the call returned, once it has ended.
    """

    result: T

    def __init__(
        self, call: Call[T], retry: RetryDecision, on_response: Callable[[Response], object] = bool
    ) -> None:
        self._call, self._steps = call, _retry_requests(call, retry, on_response)

    def next_step(self, outcome: Response | DbtCloudError | None) -> Request | Sleep | None:
        """Return the next step, or None at the end of the call.

        Args:
            outcome: The response or the error of the last request; None at first and after a pause.

        Raises:
            DbtCloudError: If the call ends with an error.
        """
        try:
            if isinstance(outcome, DbtCloudError):
                return self._steps.throw(outcome)
            return self._steps.send(outcome)
        except StopIteration as end:
            self.result = end.value
            return None

    def close(self) -> None:
        """End the call where it is, if it has not ended: what it has opened or bounded does not stay so."""
        self._call.close()


def _retry_requests(
    call: Call[T], retry: RetryDecision, on_response: Callable[[Response], object]
) -> Call[T]:
    """Return the same call with each of its requests retried."""
    mask: Mask = str
    try:
        step = next(call)
        while True:
            response, error = yield from _take_step(step, retry)
            if response is not None:
                mask = response.mask
                on_response(response)
            step = call.send(response) if error is None else call.throw(error)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    except DbtCloudError as error:
        # What the call says about an answer may repeat a token that the answer holds.
        error.mask(mask)
        raise


def _take_step(
    step: Request | Sleep, retry: RetryDecision
) -> Call[tuple[Response | None, DbtCloudError | None]]:
    """Take one step of a call and return its response, or the error after the last attempt."""
    if isinstance(step, Sleep):
        yield step
        return None, None
    for attempt in count(1):
        failure: DbtCloudError | None
        try:
            response = yield from ask(step)
            failure = _error_from_response(step, response)
            if failure is not None:
                failure.mask(response.mask)
        except DbtCloudError as error:
            failure = error
        if failure is None:
            return response, None
        delay = retry(step, failure, attempt)
        if delay is None:
            return None, failure
        log.warning("%s Attempt %d failed; the next one follows in %.3g s.", failure, attempt, delay)
        yield Sleep(delay)
    raise AssertionError("unreachable")


def _error_from_response(request: Request, response: Response) -> DbtCloudError | None:
    """Return the error that a response means, or None if it can be used."""
    if 300 <= response.status < 400:
        return _redirect_error(request, response)
    if response.status == 407:
        return _proxy_error(request)
    if response.status >= 400:
        return _api_error(request, response)
    if response.status < 200 or (request.is_file and response.status != 200):
        return _unexpected_status_error(request, response)
    # An empty answer to a GET answers nothing; what one to a POST means, only the caller knows.
    is_answer = response.body or (request.method == "GET" and request.sink is None)
    must_be_json = request.accept == "application/json" and is_answer
    if must_be_json and (fault := _json_fault(response)):
        return _not_json_error(request, response, fault)
    return _check_error(request, response)


def _check_error(request: Request, response: Response) -> DbtCloudError | None:
    try:
        if request.check is not None:
            request.check(response)
    except DbtCloudError as error:
        return error
    return None


def _api_error(request: Request, response: Response) -> ApiError:
    facts = _status_facts(response)
    if response.status == 429:
        return RateLimited(429, request.method, request.target, retry_after=_retry_after(response), **facts)
    kind = ServerError if response.status >= 500 else _BY_STATUS.get(response.status, ApiError)
    return kind(response.status, request.method, request.target, **facts)


def _status_facts(response: Response) -> dict[str, Any]:
    """Return the messages of an error envelope. Errors of the web framework have only a `detail`."""
    body = {} if _json_fault(response) else response.json
    if not isinstance(body, Mapping):
        return {}
    status = body.get("status")
    status = status if isinstance(status, Mapping) else {}
    return {
        "user_message": str(status.get("user_message") or body.get("detail") or _graphql_message(body)),
        "developer_message": str(status.get("developer_message") or ""),
        # GraphQL's errors say where in a query they are.
        "data": body.get("errors") if response.status == 400 and "errors" in body else body.get("data"),
    }


def _graphql_message(body: Mapping[str, Any]) -> str:
    errors = body.get("errors")
    messages = errors if isinstance(errors, list) else []
    return "; ".join(
        str(each["message"]) for each in messages if isinstance(each, Mapping) and "message" in each
    )


def _retry_after(response: Response) -> float | None:
    """Return the seconds of `Retry-After`, which dbt Cloud sends as a number, or of dbt's own header."""
    names = ("retry-after", "x-rate-limit-retry-after-seconds")
    texts = (response.headers.get(name, "") for name in names)
    return next((float(text) for text in texts if text.isascii() and text.strip().isdigit()), None)


def _redirect_error(request: Request, response: Response) -> MalformedResponse:
    location = response.headers.get("location", "an unknown address").split("?")[0]
    return MalformedResponse(
        f"dbt Cloud redirected {request.method} {request.target} to {location} ({response.status})",
        why="The API of dbt Cloud never redirects; to follow would send the token to that address",
        fix=_LOGIN_PAGE_HINT,
    )


def _proxy_error(request: Request) -> TransportError:
    return TransportError(
        f"The proxy rejected {request.method} {request.target} (407)",
        sent=False,
        why="The proxy requires a user name and a password, or does not accept those that it got",
        fix="Correct the setting 'proxies', or the variables HTTPS_PROXY and HTTP_PROXY",
    )


def _unexpected_status_error(request: Request, response: Response) -> MalformedResponse:
    """Return the error for an interim answer, or for an artifact that is not answered by a plain 200."""
    what = f"dbt Cloud answered {response.status} to {request}"
    if response.status < 200:
        return MalformedResponse(what, why="The API does not use this status")
    return MalformedResponse(what, why="Only a 200 holds the whole file")


def _not_json_error(request: Request, response: Response, fault: str) -> MalformedResponse:
    if not response.body.strip():
        return MalformedResponse(f"The answer to {request} is empty", why=f"Its status is {response.status}")
    html = "html" in response.headers.get("content-type", "") or response.body.lstrip()[:1] == b"<"
    if not html:
        return MalformedResponse(f"The answer to {request} is incomplete or damaged JSON", why=fault)
    return MalformedResponse(
        f"The answer to {request} is a web page (HTML) instead of JSON",
        why="It probably comes from a login page, a proxy or an outage page",
        fix=_LOGIN_PAGE_HINT,
    )


def _json_fault(response: Response) -> str:
    """Return why the body cannot be read as JSON, or "" if it can."""
    try:
        response.json  # noqa: B018 -- the response keeps the parsed value
    except ValueError as error:
        return str(error) or "It cannot be parsed"
    return ""

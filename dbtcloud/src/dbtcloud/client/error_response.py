"""Turn responses that cannot be used into errors. Only this module maps a status to an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbtcloud.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    DbtCloudError,
    Forbidden,
    MalformedResponse,
    NotFound,
    RateLimited,
    RequestTimeout,
    ServerError,
    TransportError,
    Unauthorized,
    Unprocessable,
)
from dbtcloud.client.protocol import Request, Response

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: RequestTimeout,
    409: Conflict,
    422: Unprocessable,
}
_LOGIN_PAGE_HINT = (
    "Check the connection's host: it should be the Access URL from the account settings of dbt Cloud, "
    "such as ab123.us1.dbt.com, with no path"
)


def error_from_response(request: Request, response: Response) -> DbtCloudError | None:
    """Return the error that a response means, or None if it can be used."""
    if 300 <= response.status < 400:
        return _redirect_error(request, response)
    if response.status == 407:
        return _proxy_error(request)
    if response.status >= 400:
        return _api_error(request, response)
    if request.accept == "application/json" and response.body and not _is_json(response):
        return _not_json_error(request, response)
    return None


def _api_error(request: Request, response: Response) -> ApiError:
    facts = _status_facts(response)
    if response.status == 429:
        return RateLimited(429, request.method, request.target, retry_after=_retry_after(response), **facts)
    kind = ServerError if response.status >= 500 else _BY_STATUS.get(response.status, ApiError)
    return kind(response.status, request.method, request.target, **facts)


def _status_facts(response: Response) -> dict[str, Any]:
    """Return the messages of an error envelope. Errors of the web framework have only a `detail`."""
    body = response.json if _is_json(response) else {}
    if not isinstance(body, Mapping):
        return {}
    status = body.get("status")
    status = status if isinstance(status, Mapping) else {}
    return {
        "user_message": str(status.get("user_message") or body.get("detail") or _graphql_message(body)),
        "developer_message": str(status.get("developer_message") or ""),
        "data": body.get("data"),
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
    return next((float(text) for text in texts if text.strip().isdigit()), None)


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
        fix="Correct 'proxies' in the connection's extra, or the variables HTTPS_PROXY and HTTP_PROXY",
    )


def _not_json_error(request: Request, response: Response) -> MalformedResponse:
    html = "html" in response.headers.get("content-type", "") or response.body.lstrip()[:1] == b"<"
    if not html:
        return MalformedResponse(f"The answer to {request} is incomplete or damaged JSON")
    return MalformedResponse(
        f"The answer to {request} is a web page (HTML) instead of JSON",
        why="It probably comes from a login page, a proxy or an outage page",
        fix=_LOGIN_PAGE_HINT,
    )


def _is_json(response: Response) -> bool:
    try:
        response.json  # noqa: B018 -- the response keeps the parsed value
    except ValueError:
        return False
    return True

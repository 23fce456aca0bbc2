"""Tells a usable answer from one that is not: a status becomes an exception here and nowhere else."""

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


def problem(request: Request, response: Response) -> DbtCloudError | None:
    """The error that an answer stands for, or None when it can be used."""
    if 300 <= response.status < 400:
        return _redirected(request, response)
    if response.status == 407:
        return _turned_away(request)
    if response.status >= 400:
        return _refused(request, response)
    if request.accept == "application/json" and response.body and not _is_json(response):
        return _not_json(request, response)
    return None


def _refused(request: Request, response: Response) -> ApiError:
    facts = _status_facts(response)
    if response.status == 429:
        return RateLimited(429, request.method, request.target, retry_after=_retry_after(response), **facts)
    kind = ServerError if response.status >= 500 else _BY_STATUS.get(response.status, ApiError)
    return kind(response.status, request.method, request.target, **facts)


def _status_facts(response: Response) -> dict[str, Any]:
    """What an error envelope says; the framework's own errors have only a `detail`."""
    body = response.json if _is_json(response) else {}
    if not isinstance(body, Mapping):
        return {}
    status = body.get("status")
    status = status if isinstance(status, Mapping) else {}
    return {
        "user_message": str(status.get("user_message") or body.get("detail") or _of_graphql(body)),
        "developer_message": str(status.get("developer_message") or ""),
        "data": body.get("data"),
    }


def _of_graphql(body: Mapping[str, Any]) -> str:
    errors = body.get("errors")
    messages = errors if isinstance(errors, list) else []
    return "; ".join(
        str(each["message"]) for each in messages if isinstance(each, Mapping) and "message" in each
    )


def _retry_after(response: Response) -> float | None:
    """Seconds from `Retry-After` (seconds only: dbt Cloud sends no dates) or dbt's own header."""
    names = ("retry-after", "x-rate-limit-retry-after-seconds")
    texts = (response.headers.get(name, "") for name in names)
    return next((float(text) for text in texts if text.strip().isdigit()), None)


def _redirected(request: Request, response: Response) -> MalformedResponse:
    where = response.headers.get("location", "an unnamed place").split("?")[0]
    return MalformedResponse(
        f"{request.method} {request.target} was answered by a redirect ({response.status}) to {where}",
        why="The dbt Cloud API does not redirect, and following would hand the token to that place",
        fix=_LOGIN_PAGE_HINT,
    )


def _turned_away(request: Request) -> TransportError:
    return TransportError(
        f"The proxy did not let {request.method} {request.target} through (407)",
        sent=False,
        why="It asks for a user name and a password, or does not know those that it was given",
        fix="Correct 'proxies' in the connection's extra, or the variables HTTPS_PROXY and HTTP_PROXY",
    )


def _not_json(request: Request, response: Response) -> MalformedResponse:
    html = "html" in response.headers.get("content-type", "") or response.body.lstrip()[:1] == b"<"
    what = "a web page (HTML)" if html else "a cut or damaged JSON text"
    return MalformedResponse(
        f"{request.method} {request.target} was answered by {what} instead of JSON",
        why="A login page, a proxy or an outage page stands in front of the API" if html else None,
        fix=_LOGIN_PAGE_HINT if html else "Try again; if it stays, look at the proxies on the way",
    )


def _is_json(response: Response) -> bool:
    try:
        response.json  # noqa: B018 -- parsed once, kept on the response
    except ValueError:
        return False
    return True

"""The middleware around every request: log, rate limit, error responses, authentication."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.fault_middleware import NoResponse, inject_fault
from dbtcloud.local.api.responses.envelope import error_response, json_response
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.rate_limit import RateLimiter
from dbtcloud.local.control.request_log import RequestLog
from dbtcloud.local.control.tokens import Authenticator
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.orchestration.cloud import Cloud

log = logging.getLogger(__name__)


def middlewares(cloud: Cloud, control: ControlPlane) -> list[Middleware]:
    """Return the middleware around every handler, the outermost first."""
    return [
        # Everything that reaches the wire is logged, also injected faults and refusals.
        _only_api(_log_request(control.request_log, cloud.clock)),
        # A fault replaces whatever the server would answer, so it needs no valid token and costs no quota.
        _only_api(inject_fault(control.faults, cloud)),
        # Before the token is checked: requests with a wrong token count as well.
        _only_api(_rate_limit(control.rate_limit, cloud.clock)),
        # Around the authentication, whose 401 is an error response like others.
        _handle_errors,
        _authenticate(control.authenticator),
    ]


def _is_outside_api(request: web.Request) -> bool:
    """Return whether a request is for the control plane or the pages, which dbt Cloud's API does not have."""
    return request.path == "/" or request.path.startswith(("/_local/", "/deploy/"))


def _only_api(middleware: Middleware) -> Middleware:
    """Return a middleware that applies another one to requests for dbt Cloud's API only."""

    @web.middleware
    async def applied(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await (handler(request) if _is_outside_api(request) else middleware(request, handler))

    return applied


def _log_request(request_log: RequestLog, clock: Clock) -> Middleware:
    """Return the middleware that logs each request and the status of its response."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _body(request)
        logged = request_log.add(request, body or "", clock.now())
        status = None
        try:
            response = _too_large(request) if body is None else await handler(request)
            status = None if isinstance(response, NoResponse) else response.status
            return response
        finally:
            # Also when the client has gone and the handler is cancelled.
            request_log.finish(logged, status)

    return middleware


def _rate_limit(limiter: RateLimiter, clock: Clock) -> Middleware:
    """Return the middleware that answers 429 beyond the rate limit."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        account = request.match_info.get("account_id", "")
        wait = limiter.count_request(account, clock.now())
        if wait is None:
            return await handler(request)
        # The words of Django REST framework, which dbt Cloud is built on.
        response = _detail_response(429, f"Request was throttled. Expected available in {wait:.0f} seconds.")
        if limiter.settings is not None and limiter.settings.retry_after:
            response.headers["Retry-After"] = f"{wait:.0f}"
        return response

    return middleware


def _authenticate(authenticator: Authenticator) -> Middleware:
    """Return the middleware that checks the token."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_outside_api(request):
            authenticator.check_outside_api(request)
        else:
            authenticator.check_api(request)
        return await handler(request)

    return middleware


@web.middleware
async def _handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an exception of the inner middleware or the handler into an error response."""
    try:
        return await handler(request)
    except ApiException as error:
        return _error_response(request, error)
    except web.HTTPException as error:
        return _http_error_response(request, error)
    except Exception as error:
        if _is_outside_api(request) and isinstance(error, ValueError):
            return _detail_response(400, str(error))
        log.exception("The local dbt Cloud failed on %s %s", request.method, request.path)
        message = "The local dbt Cloud failed on this request. Its log has the traceback."
        return _error_response(request, ApiException(500, message))


def _error_response(request: web.Request, error: ApiException) -> web.Response:
    if DiscoveryEndpoint.serves(request):
        return DiscoveryEndpoint.error_response(error.code, error.user_message)
    return error_response(error)


def _detail_response(code: int, detail: str) -> web.Response:
    """Return an error outside the envelope, as Django REST framework sends by itself."""
    return json_response({"detail": detail}, code)


def _http_error_response(request: web.Request, error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPNotFound):
        return error_response(ApiException.not_implemented(request.method, request.path))
    if isinstance(error, web.HTTPMethodNotAllowed):
        return _detail_response(error.status, f'Method "{request.method}" not allowed.')
    return _detail_response(error.status, error.text or error.reason)


def _too_large(request: web.Request) -> web.Response:
    response = error_response(ApiException.body_too_large(request.client_max_size))
    # The rest of the body was not read: on this connection it would be taken for the next request.
    response.force_close()
    return response


async def _body(request: web.Request) -> str | None:
    """Return the request's body as text, or None when it is too large."""
    try:
        return (await request.read()).decode("utf-8", "replace")
    except web.HTTPRequestEntityTooLarge:
        return None

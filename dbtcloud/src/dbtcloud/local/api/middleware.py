"""The middleware around every request: log, rate limit, error responses, authentication."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.responses.envelope import NoResponse, detail_response, error_response
from dbtcloud.local.control.rate_limit import RateLimiter
from dbtcloud.local.control.request_log import RequestLog
from dbtcloud.local.control.tokens import Authenticator
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Clock

log = logging.getLogger(__name__)


def is_outside_api(request: web.Request) -> bool:
    """Return whether a request is for the control plane or the pages, which dbt Cloud's API does not have.

    Such requests are not logged, not counted, and never hit by a fault.
    """
    return request.path == "/" or request.path.startswith(("/_local/", "/deploy/"))


def log_request(request_log: RequestLog, clock: Clock) -> Middleware:
    """Return the middleware that logs each request and the status of its answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_outside_api(request):
            return await handler(request)
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


def rate_limit(limiter: RateLimiter, clock: Clock) -> Middleware:
    """Return the middleware that answers 429 beyond the rate limit."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        account = request.match_info.get("account_id", "")
        wait = None if is_outside_api(request) else limiter.count_request(account, clock.now())
        if wait is None:
            return await handler(request)
        # The words of Django REST framework, which dbt Cloud is built on.
        response = detail_response(429, f"Request was throttled. Expected available in {wait:.0f} seconds.")
        if limiter.settings is not None and limiter.settings.retry_after:
            response.headers["Retry-After"] = f"{wait:.0f}"
        return response

    return middleware


def authenticate(authenticator: Authenticator) -> Middleware:
    """Return the middleware that checks the token."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_outside_api(request):
            authenticator.check_outside_api(request)
        else:
            authenticator.check_api(request)
        return await handler(request)

    return middleware


@web.middleware
async def handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an exception of the inner middleware or the handler into an error response."""
    try:
        return await handler(request)
    except ApiException as error:
        return _error_response(request, error)
    except web.HTTPException as error:
        return _http_error_response(request, error)
    except Exception as error:
        if is_outside_api(request) and isinstance(error, ValueError):
            return detail_response(400, str(error))
        log.exception("The local dbt Cloud failed on %s %s", request.method, request.path)
        message = "The local dbt Cloud failed on this request. Its log has the traceback."
        return _error_response(request, ApiException(500, message))


def _error_response(request: web.Request, error: ApiException) -> web.Response:
    if DiscoveryEndpoint.serves(request):
        return DiscoveryEndpoint.error_response(error.code, error.user_message)
    return error_response(error)


def _http_error_response(request: web.Request, error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPNotFound):
        return error_response(ApiException.not_implemented(request.method, request.path))
    if isinstance(error, web.HTTPMethodNotAllowed):
        return detail_response(error.status, f'Method "{request.method}" not allowed.')
    return detail_response(error.status, error.text or error.reason)


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

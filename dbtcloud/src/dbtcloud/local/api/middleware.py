"""The middleware around every request: log, injected faults, rate limit, error responses, authentication."""

import asyncio
import logging
import socket
import sqlite3
import struct
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.page_access import PageAccess
from dbtcloud.local.api.responses.envelope import error_response, json_response
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.faults import FaultInjector, FaultRule
from dbtcloud.local.control.rate_limit import RateLimiter
from dbtcloud.local.control.request_log import RequestLog
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import SECOND, Clock
from dbtcloud.local.orchestration.cloud import Cloud

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in</h1></body></html>"
_DISK_IS_FULL = "The disk of the local dbt Cloud is full, so it cannot store this. Free some space."
# Whoever waits for the server needs no token to see that it is up.
_HEALTH = "/_local/health"

log = logging.getLogger(__name__)


def middlewares(cloud: Cloud, control: ControlPlane) -> list[Middleware]:
    """Return the middleware around every handler, the outermost first."""
    return [
        # Everything that reaches the wire is logged, also injected faults and refusals.
        _only_api(_log_request(control.request_log, cloud.clock)),
        # A fault replaces whatever the server would answer, so it needs no valid token and costs no quota.
        _only_api(_inject_fault(control.faults, cloud)),
        # Before the token is checked: requests with a wrong token count as well.
        _only_api(_rate_limit(control.rate_limit, cloud.clock)),
        # Around the authentication, whose 401 is an error response like others.
        _handle_errors,
        _authenticate(control),
    ]


def _is_control(request: web.Request) -> bool:
    return _path(request).startswith("/_local/")


def _is_page(request: web.Request) -> bool:
    return _path(request) == "/" or _path(request).startswith("/deploy/")


def _path(request: web.Request) -> str:
    """Return the path of the route that answers, whose letters may be encoded in the request's own path."""
    resource = request.match_info.route.resource
    return request.path if resource is None else resource.canonical


def _is_outside_api(request: web.Request) -> bool:
    """Return whether a request is for the control plane or the pages, which dbt Cloud's API does not have."""
    return _is_control(request) or _is_page(request)


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
            status = None if isinstance(response, _NoResponse) else response.status
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


def _authenticate(control: ControlPlane) -> Middleware:
    """Return the middleware that checks the token, or for a page the session."""
    authenticator, pages = control.authenticator, PageAccess(control)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_outside_api(request):
            authenticator.check_origin(request)
        if _is_page(request):
            return await pages.answer(request, handler)
        if not _is_control(request):
            authenticator.check_api(request)
        elif _path(request).rstrip("/") != _HEALTH:
            authenticator.check_control(request)
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
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            log.error("%s %s could not be stored: %s", request.method, request.path, error)  # noqa: TRY400 - no bug
            return _error_response(request, ApiException(503, _DISK_IS_FULL))
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


class _NoResponse(web.Response):
    """A placeholder for the response on a connection that was reset. Nothing is sent."""


def _inject_fault(faults: FaultInjector, cloud: Cloud) -> Middleware:
    """Return the middleware that applies the fault rules to every request of the API."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        rule = faults.pick(request.method, request.path, _fault_condition(cloud, request))
        return await (handler(request) if rule is None else _apply_fault(rule, cloud, request, handler))

    return middleware


def _fault_condition(cloud: Cloud, request: web.Request) -> Callable[[FaultRule], bool]:
    """Return the check of the conditions that some kinds of faults have beside method and path."""

    def applies(rule: FaultRule) -> bool:
        if rule.kind == "refuse_pk__in":
            return "pk__in" in request.query
        if rule.kind == "not_found_after_start":
            return request.method == "GET" and _is_younger_than(
                cloud, request.match_info.get("run_id", ""), rule.seconds
            )
        return True

    return applies


def _is_younger_than(cloud: Cloud, run_id: str, seconds: float) -> bool:
    run = cloud.store.runs.get(int(run_id)) if run_id.isdigit() else None
    return run is not None and cloud.clock.now() - run.created_at < seconds * SECOND


async def _apply_fault(
    rule: FaultRule, cloud: Cloud, request: web.Request, handler: Handler
) -> web.StreamResponse:
    if rule.kind == "delay":
        return await _delay_request(rule, cloud, request, handler)
    if rule.kind == "cut":
        return await _cut_response(request, await handler(request))
    if rule.after_acting:
        await handler(request)
    if rule.kind == "reset":
        return _reset_connection(request)
    return _fault_response(rule)


async def _delay_request(
    rule: FaultRule, cloud: Cloud, request: web.Request, handler: Handler
) -> web.StreamResponse:
    if not rule.after_acting:
        resets = cloud.resets
        await asyncio.sleep(rule.seconds)
        # After a reset the same ids belong to other runs: a late cancel would hit one of those.
        return await handler(request) if cloud.resets == resets else _reset_connection(request)
    response = await handler(request)
    await asyncio.sleep(rule.seconds)
    return response


def _fault_response(rule: FaultRule) -> web.Response:
    if rule.kind == "not_found_after_start":
        return error_response(ApiException.not_found())
    if rule.kind == "refuse_pk__in":
        return error_response(ApiException.unknown_properties(["pk__in"]))
    if rule.kind == "redirect":
        return web.Response(status=rule.status or 302, headers={"Location": rule.location})
    if rule.kind == "html":
        return web.Response(
            status=rule.status or 200, text=rule.body or _LOGIN_PAGE, content_type="text/html"
        )
    return _status_response(rule)


def _status_response(rule: FaultRule) -> web.Response:
    code = rule.status or 500
    response = error_response(ApiException(code, f"An injected fault: {code}."))
    if rule.body is not None:
        response = web.Response(status=code, text=rule.body, content_type="text/plain")
    if rule.retry_after is not None:
        response.headers["Retry-After"] = f"{rule.retry_after:g}"
    return response


def _reset_connection(request: web.Request) -> web.StreamResponse:
    """Send a TCP reset."""
    transport = request.transport
    if transport is not None:
        # Closing a socket that lingers for zero seconds sends RST in place of FIN.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return _NoResponse()


async def _cut_response(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Announce the length of the whole body, send half of it, and close the connection."""
    # A file is streamed and not in memory. Any bytes in its place are cut as well.
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{" * 64
    response = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    response.content_length = max(len(body), 2)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response

"""The middleware that injects faults: what each kind of fault does to a request on the wire."""

import asyncio
import socket
import struct
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.responses.envelope import error_response
from dbtcloud.local.control.faults import FaultInjector, FaultRule
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.orchestration.cloud import Cloud

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in</h1></body></html>"


class NoResponse(web.Response):
    """A placeholder for the response on a connection that was reset. Nothing is sent."""


def inject_fault(faults: FaultInjector, cloud: Cloud) -> Middleware:
    """Return the middleware that applies the fault rules to every request of the API."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        rule = faults.pick(request.method, request.path, _condition(cloud, request))
        return await (handler(request) if rule is None else _apply(rule, cloud, request, handler))

    return middleware


def _condition(cloud: Cloud, request: web.Request) -> Callable[[FaultRule], bool]:
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


async def _apply(rule: FaultRule, cloud: Cloud, request: web.Request, handler: Handler) -> web.StreamResponse:
    if rule.kind == "delay":
        return await _delay(rule, cloud, request, handler)
    if rule.kind == "cut":
        return await _cut(request, await handler(request))
    if rule.after_acting:
        await handler(request)
    if rule.kind == "reset":
        return _reset(request)
    return _replacement(rule)


async def _delay(rule: FaultRule, cloud: Cloud, request: web.Request, handler: Handler) -> web.StreamResponse:
    if not rule.after_acting:
        resets = cloud.resets
        await asyncio.sleep(rule.seconds)
        # After a reset the same ids belong to other runs: a late cancel would hit one of those.
        return await handler(request) if cloud.resets == resets else _reset(request)
    response = await handler(request)
    await asyncio.sleep(rule.seconds)
    return response


def _replacement(rule: FaultRule) -> web.Response:
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


def _reset(request: web.Request) -> web.StreamResponse:
    """Send a TCP reset."""
    transport = request.transport
    if transport is not None:
        # Closing a socket that lingers for zero seconds sends RST in place of FIN.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return NoResponse()


async def _cut(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
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

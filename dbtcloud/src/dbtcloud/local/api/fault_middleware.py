"""What faults do to a request on the wire."""

import asyncio
import socket
import struct
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.middleware import is_own
from dbtcloud.local.api.responses.envelope import NoAnswer, refused
from dbtcloud.local.control.faults import Faults, Rule
from dbtcloud.local.model.api_errors import Refusal, missing, unexpected
from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.orchestration.cloud import Cloud

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in</h1></body></html>"


def suffer(faults: Faults, cloud: Cloud) -> Middleware:
    """Return the passage that lets the rules in force act on every request of the API."""

    @web.middleware
    async def passage(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_own(request):
            return await handler(request)
        rule = faults.strike(request.method, request.path, _concerns(cloud, request))
        return await (handler(request) if rule is None else _struck(rule, request, handler))

    return passage


def _concerns(cloud: Cloud, request: web.Request) -> Callable[[Rule], bool]:
    def concerns(rule: Rule) -> bool:
        if rule.kind == "refuse_pk__in":
            return "pk__in" in request.query
        if rule.kind == "not_found_after_start":
            return request.method == "GET" and _is_young(
                cloud, request.match_info.get("run_id", ""), rule.seconds
            )
        return True

    return concerns


def _is_young(cloud: Cloud, run_id: str, seconds: float) -> bool:
    run = cloud.store.runs.get(int(run_id)) if run_id.isdigit() else None
    return run is not None and cloud.clock.now() - run.created_at < seconds * SECOND


async def _struck(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    if rule.kind == "delay":
        return await _delayed(rule, request, handler)
    if rule.kind == "cut":
        return await _cut(request, await handler(request))
    if rule.after_acting:
        await handler(request)
    if rule.kind == "reset":
        return _reset(request)
    return _instead(rule)


async def _delayed(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    if not rule.after_acting:
        await asyncio.sleep(rule.seconds)
        return await handler(request)
    response = await handler(request)
    await asyncio.sleep(rule.seconds)
    return response


def _instead(rule: Rule) -> web.Response:
    if rule.kind == "not_found_after_start":
        return refused(missing())
    if rule.kind == "refuse_pk__in":
        return refused(unexpected(["pk__in"]))
    if rule.kind == "redirect":
        return web.Response(status=rule.status or 302, headers={"Location": rule.location})
    if rule.kind == "html":
        return web.Response(
            status=rule.status or 200, text=rule.body or _LOGIN_PAGE, content_type="text/html"
        )
    return _status(rule)


def _status(rule: Rule) -> web.Response:
    code = rule.status or 500
    response = refused(Refusal(code, f"A rehearsed fault: {code}."))
    if rule.body is not None:
        response = web.Response(status=code, text=rule.body, content_type="text/plain")
    if rule.retry_after is not None:
        response.headers["Retry-After"] = f"{rule.retry_after:g}"
    return response


def _reset(request: web.Request) -> web.StreamResponse:
    """Send a TCP reset: closing a socket that does not linger sends RST in place of FIN."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return NoAnswer()


async def _cut(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Promise the whole body, send half of it, and close the connection."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{" * 64
    response = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    response.content_length = max(len(body), 2)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response

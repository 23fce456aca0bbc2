"""The endpoints of the control plane, under `/_local/`."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from dbtcloud.local.api.routes.route import CONTROL, ApiCall
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.rate_limit import RateLimitSettings
from dbtcloud.local.control.type_check import check_types


async def _health(_: ApiCall) -> web.Response:
    """Return 200, which shows that the server is up."""
    return web.json_response({"status": "ok"})


async def _reset(call: ApiCall) -> web.Response:
    """Reset the server to the state of a new one."""
    await _control(call).reset()
    return web.json_response({})


async def _seed(call: ApiCall) -> web.Response:
    """Add definitions and simulated runs, and return their ids."""
    return web.json_response(_control(call).seed(await _document(call)))


async def _get_clock(call: ApiCall) -> web.Response:
    """Return the server's time, in seconds since 1970."""
    return web.json_response({"now": _control(call).now()})


async def _advance_clock(call: ApiCall) -> web.Response:
    """Move the clock forward by `advance` seconds."""
    document = await _document(call)
    seconds = document.get("advance") if isinstance(document, dict) else None
    if not isinstance(seconds, int | float):
        raise ValueError(f'Give {{"advance": seconds}}; got {document!r}.')  # noqa: TRY004 - one kind of error for bad input
    return web.json_response({"now": _control(call).advance(seconds)})


async def _list_faults(call: ApiCall) -> web.Response:
    """Return the fault rules in force."""
    return web.json_response(_control(call).faults.as_json())


async def _add_faults(call: ApiCall) -> web.Response:
    """Add one fault rule, or a list of them, and return their ids."""
    document, faults = await _document(call), _control(call).faults
    rules = document if isinstance(document, list) else [document]
    return web.json_response({"ids": [faults.add(rule) for rule in rules]})


async def _clear_faults(call: ApiCall) -> web.Response:
    """Remove all fault rules."""
    _control(call).faults.clear()
    return web.json_response({})


async def _list_requests(call: ApiCall) -> web.Response:
    """Return the request log and the counters."""
    control = _control(call)
    return web.json_response({"requests": control.request_log.as_json(), "counters": control.counters()})


async def _clear_requests(call: ApiCall) -> web.Response:
    """Clear the request log and the counters."""
    _control(call).request_log.clear()
    return web.json_response({})


async def _counters(call: ApiCall) -> web.Response:
    """Return the counters alone."""
    return web.json_response(_control(call).counters())


async def _get_rate_limit(call: ApiCall) -> web.Response:
    """Return the rate limit in force, null for none, and how many requests it has refused."""
    return web.json_response(_control(call).rate_limit_status())


async def _set_rate_limit(call: ApiCall) -> web.Response:
    """Set a rate limit: `per_minute`, `cooldown` (seconds), `retry_after` (whether to send that header)."""
    document = await _document(call)
    try:
        limit = RateLimitSettings(**document)
    except TypeError as error:
        raise ValueError(f"A limit takes per_minute, cooldown and retry_after; got {document!r}.") from error
    check_types(RateLimitSettings, document, "a limit")
    _control(call).rate_limit.enable(limit)
    return web.json_response(asdict(limit))


async def _clear_rate_limit(call: ApiCall) -> web.Response:
    """Remove the rate limit."""
    _control(call).rate_limit.disable()
    return web.json_response({})


async def _add_token(call: ApiCall) -> web.Response:
    """Accept another token, generated unless `token` gives it, and return it."""
    document = await _document(call)
    fields = document if isinstance(document, dict) else {}
    sets, token = fields.get("permission_sets"), fields.get("token")
    if not isinstance(sets, list) or not all(isinstance(each, str) for each in [*sets, token or ""]):
        # The message does not repeat the document, which may hold the token.
        raise ValueError('Give {"permission_sets": ["job_runner", …], "token": "…"}; the token is optional.')
    added = _control(call).authenticator.add_token(sets, token)
    return web.json_response({"token": added, "permission_sets": sets})


async def _new_page_link(call: ApiCall) -> web.Response:
    """Return a link that opens the pages in one browser. `page` is the path of the page to open."""
    document = await _document(call)
    page = document.get("page", "/") if isinstance(document, dict) else None
    if not isinstance(page, str):
        raise ValueError(f'Give {{"page": "/"}}, or nothing; got {document!r}.')  # noqa: TRY004 - as above
    return web.json_response({"url": _control(call).page_link(page)})


def _control(call: ApiCall) -> ControlPlane:
    return call.request.app[CONTROL]


async def _document(call: ApiCall) -> Any:
    text = await call.request.text()
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise ValueError(f"The body is not JSON: {error}.") from error


ROUTES = (
    ("GET", "/_local/health/", _health),
    ("POST", "/_local/reset/", _reset),
    ("POST", "/_local/seed/", _seed),
    ("GET", "/_local/clock/", _get_clock),
    ("POST", "/_local/clock/", _advance_clock),
    ("GET", "/_local/faults/", _list_faults),
    ("POST", "/_local/faults/", _add_faults),
    ("DELETE", "/_local/faults/", _clear_faults),
    ("GET", "/_local/requests/", _list_requests),
    ("DELETE", "/_local/requests/", _clear_requests),
    ("GET", "/_local/counters/", _counters),
    ("GET", "/_local/rate_limit/", _get_rate_limit),
    ("POST", "/_local/rate_limit/", _set_rate_limit),
    ("DELETE", "/_local/rate_limit/", _clear_rate_limit),
    ("POST", "/_local/tokens/", _add_token),
    ("POST", "/_local/page_link/", _new_page_link),
)

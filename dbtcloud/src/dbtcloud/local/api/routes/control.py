"""The control plane's endpoints, under `/_local/`."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from dbtcloud.local.api.routes.app_keys import CONTROL
from dbtcloud.local.control.control import Control
from dbtcloud.local.control.rate_limit import Limit
from dbtcloud.local.control.type_check import check_types


async def health(_: web.Request) -> web.Response:
    """Answer 200 once the server serves."""
    return web.json_response({"status": "ok"})


async def reset(request: web.Request) -> web.Response:
    """Go back to a new server's state."""
    await _control(request).reset()
    return web.json_response({})


async def seed(request: web.Request) -> web.Response:
    """Add definitions and pretended runs; answer with their ids."""
    return web.json_response(_control(request).seed(await _document(request)))


async def get_clock(request: web.Request) -> web.Response:
    """Answer with the server's time, in seconds since 1970."""
    return web.json_response({"now": _control(request).now()})


async def advance_clock(request: web.Request) -> web.Response:
    """Move the clock forward by `advance` seconds."""
    document = await _document(request)
    seconds = document.get("advance") if isinstance(document, dict) else None
    if not isinstance(seconds, int | float):
        raise ValueError(f'Give {{"advance": seconds}}; got {document!r}.')  # noqa: TRY004 - one kind of error for bad input
    return web.json_response({"now": _control(request).advance(seconds)})


async def list_faults(request: web.Request) -> web.Response:
    """Answer with the rules in force."""
    return web.json_response(_control(request).faults.listed())


async def add_faults(request: web.Request) -> web.Response:
    """Put one rule, or a list of rules, in force; answer with their ids."""
    document, faults = await _document(request), _control(request).faults
    rules = document if isinstance(document, list) else [document]
    return web.json_response({"ids": [faults.add(rule) for rule in rules]})


async def clear_faults(request: web.Request) -> web.Response:
    """Withdraw every rule."""
    _control(request).faults.clear()
    return web.json_response({})


async def list_requests(request: web.Request) -> web.Response:
    """Answer with the journal and the counters."""
    control = _control(request)
    return web.json_response({"requests": control.journal.entries(), "counters": control.counters()})


async def clear_requests(request: web.Request) -> web.Response:
    """Empty the journal."""
    _control(request).journal.clear()
    return web.json_response({})


async def counters(request: web.Request) -> web.Response:
    """Answer with the counters alone."""
    return web.json_response(_control(request).counters())


async def get_rate_limit(request: web.Request) -> web.Response:
    """Answer with the limit in force, null for none, and how many requests it refused."""
    limit = _control(request).rate_limit
    return web.json_response({"limit": limit.limit and asdict(limit.limit), "refused": limit.refused})


async def set_rate_limit(request: web.Request) -> web.Response:
    """Put a limit in force: `per_minute`, `cooldown` (seconds), `retry_after` (send that header)."""
    document = await _document(request)
    try:
        limit = Limit(**document)
    except TypeError as error:
        raise ValueError(f"A limit takes per_minute, cooldown and retry_after; got {document!r}.") from error
    check_types(Limit, document, "a limit")
    _control(request).rate_limit.enable(limit)
    return web.json_response(asdict(limit))


async def clear_rate_limit(request: web.Request) -> web.Response:
    """Lift the limit."""
    _control(request).rate_limit.disable()
    return web.json_response({})


async def add_token(request: web.Request) -> web.Response:
    """Let a token in with some `permission_sets`; answer with it, made up unless `token` gives it."""
    document = await _document(request)
    given = document if isinstance(document, dict) else {}
    sets, token = given.get("permission_sets"), given.get("token")
    if not isinstance(sets, list) or not all(isinstance(each, str) for each in [*sets, token or ""]):
        # What was given is not repeated: it may hold the token.
        raise ValueError('Give {"permission_sets": ["job_runner", …], "token": "…"}; the token is optional.')
    return web.json_response({"token": _control(request).guard.add(sets, token), "permission_sets": sets})


def _control(request: web.Request) -> Control:
    return request.app[CONTROL]


async def _document(request: web.Request) -> Any:
    text = await request.text()
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise ValueError(f"The body is not JSON: {error}.") from error


ROUTES = (
    ("GET", "/_local/health/", health),
    ("POST", "/_local/reset/", reset),
    ("POST", "/_local/seed/", seed),
    ("GET", "/_local/clock/", get_clock),
    ("POST", "/_local/clock/", advance_clock),
    ("GET", "/_local/faults/", list_faults),
    ("POST", "/_local/faults/", add_faults),
    ("DELETE", "/_local/faults/", clear_faults),
    ("GET", "/_local/requests/", list_requests),
    ("DELETE", "/_local/requests/", clear_requests),
    ("GET", "/_local/counters/", counters),
    ("GET", "/_local/rate_limit/", get_rate_limit),
    ("POST", "/_local/rate_limit/", set_rate_limit),
    ("DELETE", "/_local/rate_limit/", clear_rate_limit),
    ("POST", "/_local/tokens/", add_token),
)

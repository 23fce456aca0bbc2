"""What every request passes through: the journal, the rate limit, the envelope for errors, the token."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dbtcloud.local.api.responses.envelope import NoAnswer, bare, refused
from dbtcloud.local.control.rate_limit import RateLimit
from dbtcloud.local.control.request_log import Journal
from dbtcloud.local.control.tokens import Guard
from dbtcloud.local.discovery.graphql_endpoint import discovery_error, is_discovery_request
from dbtcloud.local.model.api_errors import Refusal, not_served, too_large
from dbtcloud.local.model.clock import Clock

log = logging.getLogger(__name__)


def is_own(request: web.Request) -> bool:
    """Return whether a request is for the server's own additions: the control plane and the pages.

    No journal, fault, limit or token concerns it.
    """
    return request.path == "/" or request.path.startswith(("/_local/", "/deploy/"))


def note(journal: Journal, clock: Clock) -> Middleware:
    """Return the passage that writes the journal."""

    @web.middleware
    async def passage(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_own(request):
            return await handler(request)
        body = await _body(request)
        entry = journal.enter(request, body or "", clock.now())
        status = None
        try:
            response = _too_large(request) if body is None else await handler(request)
            status = None if isinstance(response, NoAnswer) else response.status
            return response
        finally:
            journal.close(entry, status)

    return passage


def throttle(rate_limit: RateLimit, clock: Clock) -> Middleware:
    """Return the passage that answers 429 beyond the rate limit."""

    @web.middleware
    async def passage(request: web.Request, handler: Handler) -> web.StreamResponse:
        account = request.match_info.get("account_id", "")
        wait = None if is_own(request) else rate_limit.refuse_for(account, clock.now())
        if wait is None:
            return await handler(request)
        response = bare(429, f"Request was throttled. Expected available in {wait:.0f} seconds.")
        if rate_limit.limit is not None and rate_limit.limit.retry_after:
            response.headers["Retry-After"] = f"{wait:.0f}"
        return response

    return passage


def admit(guard: Guard) -> Middleware:
    """Return the passage that asks for the token."""

    @web.middleware
    async def passage(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_own(request):
            guard.check_own(request)
        else:
            guard.check_api(request)
        return await handler(request)

    return passage


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what is raised further in into an answer."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refused(request, refusal)
    except web.HTTPException as error:
        return _plain(request, error)
    except Exception as error:
        if is_own(request) and isinstance(error, ValueError):
            return bare(400, str(error))
        log.exception("The local dbt Cloud failed on %s %s", request.method, request.path)
        return _refused(
            request, Refusal(500, "The local dbt Cloud failed on this request; its log says why.")
        )


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    if is_discovery_request(request):
        return discovery_error(refusal.code, refusal.user_message)
    return refused(refusal)


def _plain(request: web.Request, error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPNotFound):
        return refused(not_served(request.method, request.path))
    if isinstance(error, web.HTTPMethodNotAllowed):
        return bare(error.status, f'Method "{request.method}" not allowed.')
    return bare(error.status, error.text or error.reason)


def _too_large(request: web.Request) -> web.Response:
    response = refused(too_large(request.client_max_size))
    # What was not read would be taken for the next request.
    response.force_close()
    return response


async def _body(request: web.Request) -> str | None:
    try:
        return (await request.read()).decode("utf-8", "replace")
    except web.HTTPRequestEntityTooLarge:
        return None

"""The web application: routes, and what every request passes through before and after them."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from airflow_dbt_cloud.local.auth import Guard
from airflow_dbt_cloud.local.cloud import Cloud
from airflow_dbt_cloud.local.control import Control
from airflow_dbt_cloud.local.envelope import bare, refused
from airflow_dbt_cloud.local.errors import Refusal, not_served
from airflow_dbt_cloud.local.misfortune import suffer
from airflow_dbt_cloud.local.routes.control import CONTROL
from airflow_dbt_cloud.local.routes.lookup import CLOUD
from airflow_dbt_cloud.local.routes.table import routes

MAX_BODY_BYTES = 8 * 1024**2
"""Larger request bodies are refused with 413."""

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(cloud: Cloud, control: Control, guard: Guard) -> web.Application:
    """Return the application."""
    passages = [
        _journal(cloud, control),
        suffer(cloud, control.faults),
        _limit(cloud, control),
        _answer,
        _admit(guard),
    ]
    app = web.Application(middlewares=passages, client_max_size=MAX_BODY_BYTES)
    app[CLOUD], app[CONTROL] = cloud, control
    app.add_routes(routes())
    return app


def is_control(request: web.Request) -> bool:
    """Return whether a request is for the control plane, which no fault or limit touches."""
    return request.path.startswith("/_local/")


def _journal(cloud: Cloud, control: Control) -> Handler:
    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_control(request):
            return await handler(request)
        body, headers = await _text(request), dict(request.headers)
        journal, now = control.journal, cloud.clock.now()
        entry = journal.enter(request.transport, request.method, request.raw_path, headers, body, now)
        status = None
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            journal.close(entry, status)

    return note


async def _text(request: web.Request) -> str:
    try:
        return (await request.read()).decode("utf-8", "replace")
    except web.HTTPRequestEntityTooLarge:
        return ""


def _limit(cloud: Cloud, control: Control) -> Handler:
    @web.middleware
    async def throttle(request: web.Request, handler: Handler) -> web.StreamResponse:
        account = request.match_info.get("account_id", "")
        limit = control.rate_limit
        wait = None if is_control(request) else limit.refuse_for(account, cloud.clock.now())
        if wait is None:
            return await handler(request)
        response = bare(429, f"Request was throttled. Expected available in {wait:.0f} seconds.")
        if limit.limit is not None and limit.limit.retry_after:
            response.headers["Retry-After"] = f"{wait:.0f}"
        return response

    return throttle


def _admit(guard: Guard) -> Handler:
    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_control(request):
            guard.check_control(request)
        else:
            guard.check_api(request)
        return await handler(request)

    return admit


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)
    except web.HTTPMethodNotAllowed:
        return bare(405, f'Method "{request.method}" not allowed.')
    except web.HTTPNotFound:
        return refused(not_served(request.method, request.path))
    except web.HTTPRequestEntityTooLarge:
        return bare(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    except ValueError as error:
        if is_control(request):
            return bare(400, str(error))
        return _broken(request)
    except Exception:
        return _broken(request)


def _broken(request: web.Request) -> web.Response:
    log.exception("The local dbt Cloud failed on %s %s", request.method, request.path)
    return refused(Refusal(500, "The local dbt Cloud failed on this request; its log says why."))

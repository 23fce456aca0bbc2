"""All endpoints that are served, in one table; whatever else is asked for answers 501."""

import re
from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from dbtcloud.local.api.routes import (
    accounts,
    artifacts,
    bulk_variables,
    control,
    discovery,
    environment_variables,
    environments,
    jobs,
    pages,
    projects,
    runs,
    trigger,
    webhooks,
)
from dbtcloud.local.api.routes.app_keys import AUTHENTICATOR
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import forbidden, not_found, not_implemented

# The first path that fits a request answers it: `bulk/` is before `{variable_id}/`.
_MODULES = (
    accounts,
    projects,
    environments,
    bulk_variables,
    environment_variables,
    jobs,
    trigger,
    runs,
    artifacts,
    webhooks,
    discovery,
    pages,
    control,
)
_PATH = ":.+}"
_ACCOUNT = "/api/v2/accounts/{account_id}/"
# Paths that are served, by methods that dbt Cloud has and this server has not: no 405 there.
_UNSERVED = ((_ACCOUNT, "POST"), (_ACCOUNT, "PATCH"))


def route_table() -> Iterator[Route]:
    """Yield every endpoint that is served, the control plane's and the pages' too."""
    for module in _MODULES:
        for entry in module.ROUTES:
            yield Route(*entry)


def aiohttp_routes() -> Iterator[web.RouteDef]:
    """Yield every route, with and without its closing slash: dbt Cloud's clients send both."""
    for route in route_table():
        yield from _both(route.method, route.path, _with_permission(route))
    for path, method in _UNSERVED:
        yield from _both(method, path, _refuse)


async def _refuse(request: web.Request) -> web.Response:
    """Answer 501."""
    raise not_implemented(request.method, request.path)


def _with_permission(route: Route) -> Handler:
    """Return the route's handler behind a check of what the token is allowed.

    dbt Cloud tells a token that may not see an object that there is none (issues 207 and
    537 of dbt-labs/terraform-provider-dbtcloud), and refuses it whole lists.
    """
    if route.needs is None:
        return route.handler
    resource, access = route.needs

    async def handler(request: web.Request) -> web.StreamResponse:
        if not request.app[AUTHENTICATOR].check_api(request).allows(resource, access):
            raise forbidden() if _is_list(route.path) else not_found()
        return await route.handler(request)

    return handler


def _both(method: str, path: str, handler: Handler) -> Iterator[web.RouteDef]:
    yield web.route(method, path, handler)
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    if path != "/" and not path.endswith(_PATH):  # the slash of a path within a path is a part of it
        yield web.route(method, other, handler)


def _is_list(path: str) -> bool:
    return not re.search(r"\{(?!account_id|project_id)\w+", path) and not path.endswith("{project_id}/")

"""The route table: all endpoints. Requests for anything else are answered 501."""

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
from dbtcloud.local.model.api_errors import ApiException

# The first route that matches a request answers it, so `bulk/` comes before `{variable_id}/`.
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
# dbt Cloud has these methods, so the answer is 501 and not 405.
_NOT_IMPLEMENTED = ((_ACCOUNT, "POST"), (_ACCOUNT, "PATCH"))


def route_table() -> Iterator[Route]:
    """Yield every endpoint, with those of the control plane and the pages."""
    for module in _MODULES:
        for entry in module.ROUTES:
            yield Route(*entry)


def aiohttp_routes() -> Iterator[web.RouteDef]:
    """Yield every route with and without its closing slash, since clients send both."""
    for route in route_table():
        yield from _both(route.method, route.path, _with_permission(route))
    for path, method in _NOT_IMPLEMENTED:
        yield from _both(method, path, _answer_501)


async def _answer_501(request: web.Request) -> web.Response:
    """Answer 501."""
    raise ApiException.not_implemented(request.method, request.path)


def _with_permission(route: Route) -> Handler:
    """Return the route's handler behind a check of the token's permissions."""
    if route.needs is None:
        return route.handler
    resource, access = route.needs

    async def handler(request: web.Request) -> web.StreamResponse:
        if not request.app[AUTHENTICATOR].check_api(request).allows(resource, access):
            # Without permission, dbt Cloud answers 404 for an object and 403 for a list (issues 207 and 537
            # of dbt-labs/terraform-provider-dbtcloud).
            raise ApiException.forbidden() if _is_list(route.path) else ApiException.not_found()
        return await route.handler(request)

    return handler


def _both(method: str, path: str, handler: Handler) -> Iterator[web.RouteDef]:
    yield web.route(method, path, handler)
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    if path != "/" and not path.endswith(_PATH):  # where it would be part of the artifact's path
        yield web.route(method, other, handler)


def _is_list(path: str) -> bool:
    return not re.search(r"\{(?!account_id|project_id)\w+", path) and not path.endswith("{project_id}/")

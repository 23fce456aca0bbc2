"""The web application: the routes, and the middleware around them."""

import re
from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from dbtcloud.local.api.middleware import middlewares
from dbtcloud.local.api.routes.route import CLOUD, CONTROL, DISCOVERY, ApiCall, Route
from dbtcloud.local.api.routes.table import ROUTE_TABLE
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.orchestration.cloud import Cloud

_MAX_BODY_BYTES = 8 * 1024**2  # a larger request body is answered 413
_ARTIFACT_PATH_END = ":.+}"
_ACCOUNT = "/api/v2/accounts/{account_id}/"
# dbt Cloud has these methods, so the answer is 501 and not 405.
_NOT_IMPLEMENTED = ((_ACCOUNT, "POST"), (_ACCOUNT, "PATCH"))


def make_app(cloud: Cloud, control: ControlPlane) -> web.Application:
    """Return the web application of a server."""
    app = web.Application(middlewares=middlewares(cloud, control), client_max_size=_MAX_BODY_BYTES)
    app[CLOUD], app[CONTROL] = cloud, control
    app[DISCOVERY] = DiscoveryEndpoint(cloud)
    app.on_cleanup.append(app[DISCOVERY].close)
    app.add_routes(_routes())
    return app


def _routes() -> Iterator[web.RouteDef]:
    """Yield every route with and without its closing slash, since clients send both."""
    for route in ROUTE_TABLE:
        yield from _with_and_without_slash(route.method, route.path, _aiohttp_handler(route))
    for path, method in _NOT_IMPLEMENTED:
        yield from _with_and_without_slash(method, path, _answer_501)


async def _answer_501(request: web.Request) -> web.Response:
    """Refuse a request that dbt Cloud answers and this server does not."""
    raise ApiException.not_implemented(request.method, request.path)


def _aiohttp_handler(route: Route) -> Handler:
    """Return the route's handler behind a check of the token's permissions."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if route.needs is not None:
            grant = request.app[CONTROL].authenticator.check_api(request)
            if not grant.allows(*route.needs):
                # Without permission, dbt Cloud answers 404 for an object and 403 for a list (issues 207 and
                # 537 of dbt-labs/terraform-provider-dbtcloud).
                raise ApiException.forbidden() if _is_list(route.path) else ApiException.not_found()
        return await route.handler(ApiCall(request))

    return handler


def _with_and_without_slash(method: str, path: str, handler: Handler) -> Iterator[web.RouteDef]:
    yield web.route(method, path, handler)
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    # After the path of an artifact, a slash would be a part of it.
    if path != "/" and not path.endswith(_ARTIFACT_PATH_END):
        yield web.route(method, other, handler)


def _is_list(path: str) -> bool:
    """Return whether a path names a list of objects, and not one object."""
    return not re.search(r"\{(?!account_id|project_id)\w+", path) and not path.endswith("{project_id}/")

"""The web application: the routes, and the middleware around them."""

from aiohttp import web

from dbtcloud.local.api.fault_middleware import inject_fault
from dbtcloud.local.api.middleware import authenticate, handle_errors, log_request, rate_limit
from dbtcloud.local.api.routes.app_keys import AUTHENTICATOR, CLOUD, CONTROL, DISCOVERY
from dbtcloud.local.api.routes.table import aiohttp_routes
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.orchestration.cloud import Cloud

_MAX_BODY_BYTES = 8 * 1024**2  # a larger request body is answered 413


def make_app(cloud: Cloud, control: ControlPlane) -> web.Application:
    """Return the application."""
    # The first is the outermost.
    middlewares = [
        # Everything that reaches the wire is logged, also injected faults and refusals.
        log_request(control.request_log, cloud.clock),
        # A fault replaces whatever the server would answer, so it needs no valid token and costs no quota.
        inject_fault(control.faults, cloud),
        # Before the token is checked: requests with a wrong token count as well.
        rate_limit(control.rate_limit, cloud.clock),
        # Around the authentication, whose 401 is an error response like others.
        handle_errors,
        authenticate(control.authenticator),
    ]
    app = web.Application(middlewares=middlewares, client_max_size=_MAX_BODY_BYTES)
    app[CLOUD], app[CONTROL], app[AUTHENTICATOR] = cloud, control, control.authenticator
    app[DISCOVERY] = DiscoveryEndpoint(cloud)
    app.on_cleanup.append(app[DISCOVERY].close)
    app.add_routes(aiohttp_routes())
    return app

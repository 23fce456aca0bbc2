"""The web application: the routes, and what every request passes through before and after them."""

from aiohttp import web

from dbtcloud.local.api.fault_middleware import suffer
from dbtcloud.local.api.middleware import admit, answer, note, throttle
from dbtcloud.local.api.routes.app_keys import CLOUD, CONTROL, DISCOVERY, GUARD
from dbtcloud.local.api.routes.table import routes
from dbtcloud.local.control.control import Control
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.orchestration.cloud import Cloud

MAX_BODY_BYTES = 8 * 1024**2
"""Larger request bodies are refused with 413."""


def make_app(cloud: Cloud, control: Control) -> web.Application:
    """Return the application; the first passage is the outermost."""
    passages = [
        note(control.journal, cloud.clock),
        suffer(control.faults, cloud),
        throttle(control.rate_limit, cloud.clock),
        answer,
        admit(control.guard),
    ]
    app = web.Application(middlewares=passages, client_max_size=MAX_BODY_BYTES)
    app[CLOUD], app[CONTROL], app[GUARD] = cloud, control, control.guard
    app[DISCOVERY] = DiscoveryEndpoint(cloud)
    app.on_cleanup.append(app[DISCOVERY].close)
    app.add_routes(routes())
    return app

"""The web application: the routes, and what every request passes through before and after them."""

from aiohttp import web

from airflow_dbt_cloud.local.cloud import Cloud
from airflow_dbt_cloud.local.control import Control
from airflow_dbt_cloud.local.discovery.serving import Discovery
from airflow_dbt_cloud.local.misfortune import suffer
from airflow_dbt_cloud.local.passage import GUARD, admit, answer, note, throttle
from airflow_dbt_cloud.local.routes.control import CONTROL
from airflow_dbt_cloud.local.routes.discovery import DISCOVERY
from airflow_dbt_cloud.local.routes.lookup import CLOUD
from airflow_dbt_cloud.local.routes.table import routes

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
    app[DISCOVERY] = Discovery(cloud)
    app.on_cleanup.append(app[DISCOVERY].close)
    app.add_routes(routes())
    return app

"""All endpoints in one table, and those of dbt Cloud's that are known and not served."""

from collections.abc import Iterator

from aiohttp import web
from aiohttp.typedefs import Handler

from airflow_dbt_cloud.local.errors import not_served
from airflow_dbt_cloud.local.routes import (
    accounts,
    artifacts,
    control,
    environments,
    jobs,
    pages,
    projects,
    runs,
)

_ACCOUNT = "/api/v2/accounts/{account_id}/"
_PROJECT = "/api/v3/accounts/{account_id}/projects/{project_id}/"
_UNSERVED = {
    _ACCOUNT: ("POST", "PATCH"),
    f"{_ACCOUNT}projects/": ("POST",),
    f"{_ACCOUNT}projects/{{project_id}}/": ("POST", "DELETE"),
    f"{_ACCOUNT}environments/": ("POST",),
    f"{_ACCOUNT}environments/{{environment_id}}/": ("POST", "DELETE"),
    f"{_ACCOUNT}jobs/": ("POST",),
    f"{_ACCOUNT}jobs/{{job_id}}/": ("POST", "DELETE"),
    "/api/v3/accounts/{account_id}/projects/": ("POST",),
    _PROJECT: ("POST", "DELETE"),
    f"{_PROJECT}environments/": ("POST",),
    f"{_PROJECT}environments/{{environment_id}}/": ("POST", "DELETE"),
}


def routes() -> Iterator[web.RouteDef]:
    """Yield every route, with and without its closing slash: dbt Cloud's clients send both."""
    modules = (accounts, projects, environments, jobs, runs, artifacts, pages, control)
    for method, path, handler in (route for module in modules for route in module.ROUTES):
        yield from _both(method, path, handler)
    for path, methods in _UNSERVED.items():
        for method in methods:
            yield from _both(method, path, refuse)


async def refuse(request: web.Request) -> web.Response:
    """Answer 501."""
    raise not_served(request.method, request.path)


def _both(method: str, path: str, handler: Handler) -> Iterator[web.RouteDef]:
    yield web.route(method, path, handler)
    if path.endswith("/") and path != "/":
        yield web.route(method, path.removesuffix("/"), handler)

"""Projects, in v3 and their v2 twins."""

from aiohttp import web

from airflow_dbt_cloud.local.definition_shapes import project_shape
from airflow_dbt_cloud.local.envelope import found, listed
from airflow_dbt_cloud.local.models import Project
from airflow_dbt_cloud.local.parameters import PAGING, Readers, integer, integers, order, parse, state, words
from airflow_dbt_cloud.local.routes.lists import find_definitions
from airflow_dbt_cloud.local.routes.lookup import account_of, cloud_of, definition_of

_FILTERS: Readers = {
    **PAGING,
    **dict.fromkeys(("pk__gt",)),
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__in": integers,
    "state": state,
}


async def list_projects(request: web.Request) -> web.Response:
    """Answer with a page of projects."""
    account, parameters = account_of(request), parse(request, _FILTERS)
    page = parameters.page()
    projects, total = find_definitions(cloud_of(request).store, Project, account, parameters)
    return listed([project_shape(project) for project in projects], total, page, parameters.echo(account.id))


async def get_project(request: web.Request) -> web.Response:
    """Answer with one project."""
    parse(request, {})
    return found(project_shape(definition_of(request, Project, "project_id")))


ROUTES = (
    ("GET", "/api/v3/accounts/{account_id}/projects/", list_projects),
    ("GET", "/api/v2/accounts/{account_id}/projects/", list_projects),
    ("GET", "/api/v3/accounts/{account_id}/projects/{project_id}/", get_project),
    ("GET", "/api/v2/accounts/{account_id}/projects/{project_id}/", get_project),
)

"""Projects and their environments, in v3 and their v2 twins."""

from collections.abc import Mapping

from aiohttp import web

from airflow_dbt_cloud.local.definition_shapes import environment_shape, project_shape
from airflow_dbt_cloud.local.envelope import found, listed
from airflow_dbt_cloud.local.errors import missing
from airflow_dbt_cloud.local.models import Environment, Project
from airflow_dbt_cloud.local.parameters import PAGING, Reader, integer, integers, order, parse, state, words
from airflow_dbt_cloud.local.routes.lists import find_definitions
from airflow_dbt_cloud.local.routes.lookup import account_of, cloud_of, definition_of

_FILTERS: Mapping[str, Reader] = {
    **PAGING,
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__in": integers,
    "state": state,
}
_ENVIRONMENT_FILTERS = {**_FILTERS, "name": words, "project_id": integer, "project_id__in": integers}


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


async def list_environments(request: web.Request) -> web.Response:
    """Answer with a page of environments: of the project that the path names, or of the account."""
    account, parameters = account_of(request), parse(request, _ENVIRONMENT_FILTERS)
    within: dict[str, list[int]] = {}
    if "project_id" in request.match_info:
        within = {"project_id": [definition_of(request, Project, "project_id").id]}
    store = cloud_of(request).store
    environments, total = find_definitions(store, Environment, account, parameters, within)
    shapes = [
        environment_shape(each, store.definitions.get(Project, each.project_id)) for each in environments
    ]
    return listed(shapes, total, parameters.page(), parameters.echo(account.id))


async def get_environment(request: web.Request) -> web.Response:
    """Answer with one environment, which must be of the project that the path names."""
    parse(request, {})
    environment = definition_of(request, Environment, "environment_id")
    if "project_id" in request.match_info:
        project = definition_of(request, Project, "project_id")
        if environment.project_id != project.id:
            raise missing()
    return found(
        environment_shape(
            environment, cloud_of(request).store.definitions.get(Project, environment.project_id)
        )
    )


_V3_PROJECT = "/api/v3/accounts/{account_id}/projects/{project_id}/"

ROUTES = (
    ("GET", "/api/v3/accounts/{account_id}/projects/", list_projects),
    ("GET", "/api/v2/accounts/{account_id}/projects/", list_projects),
    ("GET", _V3_PROJECT, get_project),
    ("GET", "/api/v2/accounts/{account_id}/projects/{project_id}/", get_project),
    ("GET", f"{_V3_PROJECT}environments/", list_environments),
    ("GET", "/api/v2/accounts/{account_id}/environments/", list_environments),
    ("GET", f"{_V3_PROJECT}environments/{{environment_id}}/", get_environment),
    ("GET", "/api/v2/accounts/{account_id}/environments/{environment_id}/", get_environment),
)

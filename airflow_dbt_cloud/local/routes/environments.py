"""Environments: of a project in v3, of the account in v2."""

from typing import Any

from aiohttp import web

from airflow_dbt_cloud.local.clock import iso, spaced
from airflow_dbt_cloud.local.definition_shapes import environment_shape
from airflow_dbt_cloud.local.envelope import found, listed
from airflow_dbt_cloud.local.errors import missing
from airflow_dbt_cloud.local.models import Environment, Project
from airflow_dbt_cloud.local.parameters import PAGING, Readers, integer, integers, order, parse, state, words
from airflow_dbt_cloud.local.routes.lists import find_definitions
from airflow_dbt_cloud.local.routes.lookup import account_of, cloud_of, definition_of

_FILTERS: Readers = {
    **PAGING,
    **dict.fromkeys(
        (
            "credentials_id",
            "dbt_version",
            "dbt_version__in",
            "deployment_type",
            "deployment_type__in",
            "id__gt",
            "type",
        )
    ),
    "name": words,
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__in": integers,
    "project_id": integer,
    "project_id__in": integers,
    "state": state,
}


async def list_environments(request: web.Request) -> web.Response:
    """Answer with a page of environments: of the project that the path names, or of the account."""
    account, parameters = account_of(request), parse(request, _FILTERS)
    project = _project(request)
    within = {} if project is None else {"project_id": [project.id]}
    store = cloud_of(request).store
    environments, total = find_definitions(store, Environment, account, parameters, within)
    shapes = [_shape(request, environment) for environment in environments]
    return listed(shapes, total, parameters.page(), parameters.echo(account.id))


async def get_environment(request: web.Request) -> web.Response:
    """Answer with one environment, which must be of the project that the path names."""
    parse(request, {})
    environment, project = definition_of(request, Environment, "environment_id"), _project(request)
    if project is not None and environment.project_id != project.id:
        raise missing()
    return found(_shape(request, environment))


def _project(request: web.Request) -> Project | None:
    return definition_of(request, Project, "project_id") if "project_id" in request.match_info else None


def _shape(request: web.Request, environment: Environment) -> dict[str, Any]:
    cloud = cloud_of(request)
    project = cloud.store.definitions.get(Project, environment.project_id)
    write = spaced if "project_id" in request.match_info else iso
    return environment_shape(environment, project, write, str(cloud.database(environment.id)))


_PROJECT = "/api/v3/accounts/{account_id}/projects/{project_id}/"
_ACCOUNT = "/api/v2/accounts/{account_id}/"

ROUTES = (
    ("GET", f"{_PROJECT}environments/", list_environments),
    ("GET", f"{_PROJECT}environments/{{environment_id}}/", get_environment),
    ("GET", f"{_ACCOUNT}environments/", list_environments),
    ("GET", f"{_ACCOUNT}environments/{{environment_id}}/", get_environment),
)

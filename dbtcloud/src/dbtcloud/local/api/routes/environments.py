"""Environments: of a project in v3, of the account in v2 and, undocumented and much used, in v3."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.definitions import ENVIRONMENT_FIELDS, changed_environment
from dbtcloud.local.api.requests.query import (
    PAGING,
    Readers,
    integer,
    integers,
    order,
    parse,
    state,
    strings,
    words,
)
from dbtcloud.local.api.responses.definitions import environment_shape
from dbtcloud.local.api.responses.envelope import found, listed
from dbtcloud.local.api.routes.lists import find_definitions
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import invalid, missing
from dbtcloud.local.model.clock import iso, spaced
from dbtcloud.local.model.field_types import check_object
from dbtcloud.local.model.records import DELETED, EnvironmentRecord, ProjectRecord
from dbtcloud.local.orchestration.deletion import delete

_FILTERS: Readers = {
    **PAGING,
    "credentials_id": integer,
    "dbt_version": words,
    "dbt_version__in": strings,
    "deployment_type": words,
    "deployment_type__in": strings,
    "id__gt": integer,
    "name": words,
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__in": integers,
    "project_id": integer,
    "project_id__in": integers,
    "state": state,
    "type": words,
}


async def list_environments(request: web.Request) -> web.Response:
    """Answer with a page of environments: of the project that the path names, or of the account."""
    account, parameters = account_of(request), parse(request, _FILTERS)
    project = _project(request)
    within = {} if project is None else {"project_id": [project.id]}
    store = cloud_of(request).store
    environments, total = find_definitions(store, EnvironmentRecord, account, parameters, within)
    shapes = [_shape(request, environment) for environment in environments]
    return listed(shapes, total, parameters.page(), parameters.echo(account.id))


async def get_environment(request: web.Request) -> web.Response:
    """Answer with one environment, which must be of the project that the path names."""
    parse(request, {})
    return found(_shape(request, _environment(request)))


async def create_environment(request: web.Request) -> web.Response:
    """Create an environment in the project of the path, or of the body, and answer with it and 201."""
    account, cloud = account_of(request), cloud_of(request)
    body = check_object(await read_body(request, ENVIRONMENT_FIELDS))
    project = _project(request) or _project_of_body(request, body)
    id_ = cloud.store.definitions.next_id(EnvironmentRecord)
    empty = EnvironmentRecord(id_, "", account.id, project.id, created_at=cloud.clock.now())
    environment = changed_environment(body, empty)
    cloud.store.definitions.put(environment)
    return found(_shape(request, environment), 201)


async def update_environment(request: web.Request) -> web.Response:
    """Change what the body gives of an environment; a state of 2 deletes it."""
    environment, cloud = _environment(request), cloud_of(request)
    changed = changed_environment(await read_body(request, ENVIRONMENT_FIELDS), environment)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return found(_shape(request, delete(cloud, changed)))
    cloud.store.definitions.put(changed)
    return found(_shape(request, changed))


async def delete_environment(request: web.Request) -> web.Response:
    """Delete an environment, with its jobs."""
    return found(_shape(request, delete(cloud_of(request), _environment(request))))


def _project(request: web.Request) -> ProjectRecord | None:
    return definition_of(request, ProjectRecord, "project_id") if "project_id" in request.match_info else None


def _project_of_body(request: web.Request, body: dict[str, Any]) -> ProjectRecord:
    if type(body.get("project_id")) is not int:
        raise invalid({"project_id": "'project_id' is a required property"})
    project = cloud_of(request).store.definitions.get(ProjectRecord, body["project_id"])
    if project is None or project.account_id != account_of(request).id or project.state == DELETED:
        raise missing()
    return project


def _environment(request: web.Request) -> EnvironmentRecord:
    environment, project = definition_of(request, EnvironmentRecord, "environment_id"), _project(request)
    if project is not None and environment.project_id != project.id:
        raise missing()
    return environment


def _shape(request: web.Request, environment: EnvironmentRecord) -> dict[str, Any]:
    cloud = cloud_of(request)
    project = cloud.store.definitions.get(ProjectRecord, environment.project_id)
    write = spaced if request.path.startswith("/api/v3/") else iso
    return environment_shape(environment, project, write, str(cloud.database(environment.id)))


_NO_CREDENTIALS = "There are no credentials, profiles or extended attributes; connection is DuckDB's."
_NEW = (
    f"A new environment has a target and schema named default. {_NO_CREDENTIALS} What is given of them is "
    "kept and has no effect."
)
_DELETED = "Answers 200 and the environment, as dbt Cloud's own answers do, where the specification says 204."
_READ, _WRITE = ("environments", "read"), ("environments", "write")

ROUTES = tuple(
    route
    for within in (
        "/api/v3/accounts/{account_id}/projects/{project_id}/",
        "/api/v3/accounts/{account_id}/",
        "/api/v2/accounts/{account_id}/",
    )
    for route in (
        Route("GET", f"{within}environments/", list_environments, _READ, _NO_CREDENTIALS),
        Route("POST", f"{within}environments/", create_environment, _WRITE, _NEW),
        Route("GET", f"{within}environments/{{environment_id}}/", get_environment, _READ, _NO_CREDENTIALS),
        Route("POST", f"{within}environments/{{environment_id}}/", update_environment, _WRITE, _NEW),
        Route("DELETE", f"{within}environments/{{environment_id}}/", delete_environment, _WRITE, _DELETED),
    )
)

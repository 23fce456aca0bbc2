"""Environments: of a project in v3, of the account in v2. Clients also use those of the account in v3."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.definitions import ENVIRONMENT_SCHEMA, updated_environment
from dbtcloud.local.api.requests.query import (
    PAGING,
    Readers,
    parse_query,
    read_integer,
    read_integers,
    read_order,
    read_state,
    read_strings,
    read_text,
)
from dbtcloud.local.api.responses.definitions import environment_json
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.lists import find_definitions
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.body_schema import check_object
from dbtcloud.local.model.clock import iso_timestamp, spaced_timestamp
from dbtcloud.local.model.records import DELETED, EnvironmentRecord, ProjectRecord
from dbtcloud.local.orchestration.deletion import delete

_FILTERS: Readers = {
    **PAGING,
    "credentials_id": read_integer,
    "dbt_version": read_text,
    "dbt_version__in": read_strings,
    "deployment_type": read_text,
    "deployment_type__in": read_strings,
    "id__gt": read_integer,
    "name": read_text,
    "name__icontains": read_text,
    "order_by": read_order("id", "name", "created_at"),
    "pk": read_integer,
    "pk__in": read_integers,
    "project_id": read_integer,
    "project_id__in": read_integers,
    "state": read_state,
    "type": read_text,
}


async def _list_environments(request: web.Request) -> web.Response:
    """Answer with a page of environments, of the project that the path names or of the account."""
    account, parameters = account_of(request), parse_query(request, _FILTERS)
    project = _project(request)
    within = {} if project is None else {"project_id": [project.id]}
    store = cloud_of(request).store
    environments, total = find_definitions(store, EnvironmentRecord, account, parameters, within)
    contents = [_json(request, environment) for environment in environments]
    return list_response(contents, total, parameters.page(), parameters.applied_filters(account.id))


async def _get_environment(request: web.Request) -> web.Response:
    """Answer with one environment."""
    parse_query(request, {})
    return data_response(_json(request, _environment(request)))


async def _create_environment(request: web.Request) -> web.Response:
    """Create an environment in the project of the path, or of the body, and answer with it and 201."""
    account, cloud = account_of(request), cloud_of(request)
    body = check_object(await read_body(request, ENVIRONMENT_SCHEMA))
    project = _project(request) or _project_of_body(request, body)
    id_ = cloud.store.definitions.next_id(EnvironmentRecord)
    empty = EnvironmentRecord(id_, "", account.id, project.id, created_at=cloud.clock.now())
    environment = updated_environment(body, empty)
    cloud.store.definitions.put(environment)
    return data_response(_json(request, environment), 201)


async def _update_environment(request: web.Request) -> web.Response:
    """Update an environment. A state of 2 deletes it."""
    environment, cloud = _environment(request), cloud_of(request)
    changed = updated_environment(await read_body(request, ENVIRONMENT_SCHEMA), environment)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return data_response(_json(request, delete(cloud, changed)))
    cloud.store.definitions.put(changed)
    return data_response(_json(request, changed))


async def _delete_environment(request: web.Request) -> web.Response:
    """Delete an environment, with its jobs."""
    return data_response(_json(request, delete(cloud_of(request), _environment(request))))


def _project(request: web.Request) -> ProjectRecord | None:
    return definition_of(request, ProjectRecord, "project_id") if "project_id" in request.match_info else None


def _project_of_body(request: web.Request, body: dict[str, Any]) -> ProjectRecord:
    if type(body.get("project_id")) is not int:
        raise ApiException.bad_request({"project_id": "'project_id' is a required property"})
    project = cloud_of(request).store.definitions.get(ProjectRecord, body["project_id"])
    if project is None or project.account_id != account_of(request).id or project.state == DELETED:
        raise ApiException.not_found()
    return project


def _environment(request: web.Request) -> EnvironmentRecord:
    environment, project = definition_of(request, EnvironmentRecord, "environment_id"), _project(request)
    if project is not None and environment.project_id != project.id:
        raise ApiException.not_found()
    return environment


def _json(request: web.Request, environment: EnvironmentRecord) -> dict[str, Any]:
    cloud = cloud_of(request)
    project = cloud.store.definitions.get(ProjectRecord, environment.project_id)
    write = spaced_timestamp if request.path.startswith("/api/v3/") else iso_timestamp
    return environment_json(environment, project, write, str(cloud.database(environment.id)))


_NO_CREDENTIALS = "There are no credentials, profiles or extended attributes. The connection is DuckDB."
_NEW = (
    f"A new environment has a target and schema named default. {_NO_CREDENTIALS} They are stored "
    "and have no effect."
)
_DELETED = "Answers 200 and the environment, as dbt Cloud does, where the specification says 204."
_READ, _WRITE = ("environments", "read"), ("environments", "write")

ROUTES = tuple(
    route
    for within in (
        "/api/v3/accounts/{account_id}/projects/{project_id}/",
        "/api/v3/accounts/{account_id}/",
        "/api/v2/accounts/{account_id}/",
    )
    for route in (
        Route("GET", f"{within}environments/", _list_environments, _READ, _NO_CREDENTIALS),
        Route("POST", f"{within}environments/", _create_environment, _WRITE, _NEW),
        Route("GET", f"{within}environments/{{environment_id}}/", _get_environment, _READ, _NO_CREDENTIALS),
        Route("POST", f"{within}environments/{{environment_id}}/", _update_environment, _WRITE, _NEW),
        Route("DELETE", f"{within}environments/{{environment_id}}/", _delete_environment, _WRITE, _DELETED),
    )
)

"""Environments: of a project in v3, of the account in v2. Clients also use those of the account in v3."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.definitions import ENVIRONMENT_BODY
from dbtcloud.local.api.requests.query import PAGING, QuerySchema
from dbtcloud.local.api.responses.definitions import environment_json
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Timestamp
from dbtcloud.local.model.records import DELETED, EnvironmentRecord, ProjectRecord
from dbtcloud.local.model.request_body import RequestBody

_FILTERS: QuerySchema = {
    **PAGING,
    "credentials_id": "integer",
    "dbt_version": "string",
    "dbt_version__in": "array of string",
    "deployment_type": "string",
    "deployment_type__in": "array of string",
    "id__gt": "integer",
    "name": "string",
    "name__icontains": "string",
    "order_by": ("id", "name", "created_at"),
    "pk": "integer",
    "pk__in": "array of integer",
    "project_id": "integer",
    "project_id__in": "array of integer",
    "state": "state",
    "type": "string",
}


async def _list_environments(call: ApiCall) -> web.Response:
    """Return a page of environments, of the project that the path names or of the account."""
    account, parameters = call.account(), call.query(_FILTERS)
    project = _project(call)
    within = {} if project is None else {"project_id": [project.id]}
    query = parameters.definition_query(account.id, within)
    environments, total = call.cloud.store.definitions.find(EnvironmentRecord, query, parameters.page())
    contents = [_content(call, environment) for environment in environments]
    return list_response(contents, total, parameters.page(), parameters.applied_filters(account.id))


async def _get_environment(call: ApiCall) -> web.Response:
    """Return one environment."""
    call.query({})
    return data_response(_content(call, _environment(call)))


async def _create_environment(call: ApiCall) -> web.Response:
    """Create an environment in the project of the path, or of the body, and return it with 201."""
    account, cloud = call.account(), call.cloud
    body = RequestBody.as_object(await call.body(ENVIRONMENT_BODY.schema))
    project = _project(call) or _project_of_body(call, body)
    id_ = cloud.store.definitions.next_id(EnvironmentRecord)
    empty = EnvironmentRecord(id_, "", account.id, project.id, created_at=cloud.clock.now())
    environment = ENVIRONMENT_BODY.updated(body, empty)
    cloud.store.definitions.put(environment)
    return data_response(_content(call, environment), 201)


async def _update_environment(call: ApiCall) -> web.Response:
    """Update an environment. A state of 2 deletes it."""
    environment, cloud = _environment(call), call.cloud
    changed = ENVIRONMENT_BODY.updated(await call.body(ENVIRONMENT_BODY.schema), environment)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return data_response(_content(call, cloud.delete(changed)))
    cloud.store.definitions.put(changed)
    return data_response(_content(call, changed))


async def _delete_environment(call: ApiCall) -> web.Response:
    """Delete an environment, with its jobs."""
    return data_response(_content(call, call.cloud.delete(_environment(call))))


def _project(call: ApiCall) -> ProjectRecord | None:
    return call.definition(ProjectRecord, "project_id") if "project_id" in call.request.match_info else None


def _project_of_body(call: ApiCall, body: dict[str, Any]) -> ProjectRecord:
    if type(body.get("project_id")) is not int:
        raise ApiException.bad_request({"project_id": "'project_id' is a required property"})
    project = call.cloud.store.definitions.get(ProjectRecord, body["project_id"])
    if project is None or project.account_id != call.account().id or project.state == DELETED:
        raise ApiException.not_found()
    return project


def _environment(call: ApiCall) -> EnvironmentRecord:
    environment, project = call.definition(EnvironmentRecord, "environment_id"), _project(call)
    if project is not None and environment.project_id != project.id:
        raise ApiException.not_found()
    return environment


def _content(call: ApiCall, environment: EnvironmentRecord) -> dict[str, Any]:
    cloud = call.cloud
    project = cloud.store.definitions.get(ProjectRecord, environment.project_id)
    format_instant = Timestamp.spaced if call.request.path.startswith("/api/v3/") else Timestamp.iso
    return environment_json(environment, project, format_instant, str(cloud.database(environment.id)))


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

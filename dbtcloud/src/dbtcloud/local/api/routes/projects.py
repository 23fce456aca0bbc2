"""Projects, in v2 and v3."""

from dataclasses import replace

from aiohttp import web

from dbtcloud.local.api.requests.definitions import PROJECT_BODY
from dbtcloud.local.api.requests.query import PAGING, QuerySchema
from dbtcloud.local.api.responses.definitions import project_json
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.records import DELETED, ProjectRecord

_FILTERS: QuerySchema = {
    **PAGING,
    "name__icontains": "string",
    "order_by": ("id", "name", "created_at"),
    "pk": "integer",
    "pk__gt": "integer",
    "pk__in": "array of integer",
    "state": "state",
}


_UNCONNECTED = {"connection": None, "connection_id": None}


async def _list_projects(call: ApiCall) -> web.Response:
    """Return a page of projects."""
    account, parameters = call.account(), call.query(_FILTERS)
    page = parameters.page()
    query = parameters.definition_query(account.id)
    projects, total = call.cloud.store.definitions.find(ProjectRecord, query, page)
    return list_response(
        [project_json(project) for project in projects], total, page, parameters.applied_filters(account.id)
    )


async def _get_project(call: ApiCall) -> web.Response:
    """Return one project."""
    call.query({})
    return data_response(project_json(call.definition(ProjectRecord, "project_id")))


async def _create_project(call: ApiCall) -> web.Response:
    """Create a project without dbt sources, and return it with 201."""
    account, cloud = call.account(), call.cloud
    definitions = cloud.store.definitions
    id_ = definitions.next_id(ProjectRecord)
    empty = ProjectRecord(id_, "", account.id, shown=_UNCONNECTED, created_at=cloud.clock.now())
    project = PROJECT_BODY.updated(await call.body(PROJECT_BODY.schema), empty)
    definitions.put(project)
    return data_response(project_json(project), 201)


async def _update_project(call: ApiCall) -> web.Response:
    """Update a project. A state of 2 deletes it."""
    project, cloud = call.definition(ProjectRecord, "project_id"), call.cloud
    changed = PROJECT_BODY.updated(await call.body(PROJECT_BODY.schema), project)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return data_response(project_json(cloud.delete(changed)))
    cloud.store.definitions.put(changed)
    return data_response(project_json(changed))


async def _delete_project(call: ApiCall) -> web.Response:
    """Delete a project with its environments and jobs."""
    return data_response(project_json(call.cloud.delete(call.definition(ProjectRecord, "project_id"))))


_DUCKDB = "The connection is DuckDB or that of the project's own profile. There is no repository."
_NEW = (
    "A new project has no dbt sources: its runs end in an error that says how to add some. Connection, "
    "repository and semantic layer are stored and have no effect."
)
_UPDATED = f"Fields that are not in the body stay as they are. {_NEW}"
_DELETED = "Answers 200 and the project, as dbt Cloud does, where the specification says 204."
_READ, _WRITE = ("projects", "read"), ("projects", "write")

ROUTES = tuple(
    route
    for projects in ("/api/v3/accounts/{account_id}/projects/", "/api/v2/accounts/{account_id}/projects/")
    for route in (
        Route("GET", projects, _list_projects, _READ, _DUCKDB),
        Route("POST", projects, _create_project, _WRITE, _NEW),
        Route("GET", f"{projects}{{project_id}}/", _get_project, _READ, _DUCKDB),
        Route("POST", f"{projects}{{project_id}}/", _update_project, _WRITE, _UPDATED),
        Route("DELETE", f"{projects}{{project_id}}/", _delete_project, _WRITE, _DELETED),
    )
)

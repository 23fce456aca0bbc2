"""Projects, in v2 and v3."""

from dataclasses import replace

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.definitions import PROJECT_SCHEMA, updated_project
from dbtcloud.local.api.requests.query import (
    PAGING,
    Readers,
    parse_query,
    read_integer,
    read_integers,
    read_order,
    read_state,
    read_text,
)
from dbtcloud.local.api.responses.definitions import project_json
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.lists import find_definitions
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.records import DELETED, ProjectRecord
from dbtcloud.local.orchestration.deletion import delete

_FILTERS: Readers = {
    **PAGING,
    "name__icontains": read_text,
    "order_by": read_order("id", "name", "created_at"),
    "pk": read_integer,
    "pk__gt": read_integer,
    "pk__in": read_integers,
    "state": read_state,
}


_UNCONNECTED = {"connection": None, "connection_id": None}


async def _list_projects(request: web.Request) -> web.Response:
    """Answer with a page of projects."""
    account, parameters = account_of(request), parse_query(request, _FILTERS)
    page = parameters.page()
    projects, total = find_definitions(cloud_of(request).store, ProjectRecord, account, parameters)
    return list_response(
        [project_json(project) for project in projects], total, page, parameters.applied_filters(account.id)
    )


async def _get_project(request: web.Request) -> web.Response:
    """Answer with one project."""
    parse_query(request, {})
    return data_response(project_json(definition_of(request, ProjectRecord, "project_id")))


async def _create_project(request: web.Request) -> web.Response:
    """Create a project without dbt sources, and answer with it and 201."""
    account, cloud = account_of(request), cloud_of(request)
    definitions = cloud.store.definitions
    id_ = definitions.next_id(ProjectRecord)
    empty = ProjectRecord(id_, "", account.id, shown=_UNCONNECTED, created_at=cloud.clock.now())
    project = updated_project(await read_body(request, PROJECT_SCHEMA), empty)
    definitions.put(project)
    return data_response(project_json(project), 201)


async def _update_project(request: web.Request) -> web.Response:
    """Update a project. A state of 2 deletes it."""
    project, cloud = definition_of(request, ProjectRecord, "project_id"), cloud_of(request)
    changed = updated_project(await read_body(request, PROJECT_SCHEMA), project)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return data_response(project_json(delete(cloud, changed)))
    cloud.store.definitions.put(changed)
    return data_response(project_json(changed))


async def _delete_project(request: web.Request) -> web.Response:
    """Delete a project with its environments and jobs."""
    return data_response(
        project_json(delete(cloud_of(request), definition_of(request, ProjectRecord, "project_id")))
    )


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

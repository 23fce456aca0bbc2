"""Projects, in v3 and their v2 twins."""

from dataclasses import replace

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.definitions import PROJECT_FIELDS, changed_project
from dbtcloud.local.api.requests.query import PAGING, Readers, integer, integers, order, parse, state, words
from dbtcloud.local.api.responses.definitions import project_shape
from dbtcloud.local.api.responses.envelope import found, listed
from dbtcloud.local.api.routes.lists import find_definitions
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.records import DELETED, ProjectRecord
from dbtcloud.local.orchestration.deletion import delete

_FILTERS: Readers = {
    **PAGING,
    "name__icontains": words,
    "order_by": order("id", "name", "created_at"),
    "pk": integer,
    "pk__gt": integer,
    "pk__in": integers,
    "state": state,
}


_UNCONNECTED = {"connection": None, "connection_id": None}


async def list_projects(request: web.Request) -> web.Response:
    """Answer with a page of projects."""
    account, parameters = account_of(request), parse(request, _FILTERS)
    page = parameters.page()
    projects, total = find_definitions(cloud_of(request).store, ProjectRecord, account, parameters)
    return listed([project_shape(project) for project in projects], total, page, parameters.echo(account.id))


async def get_project(request: web.Request) -> web.Response:
    """Answer with one project."""
    parse(request, {})
    return found(project_shape(definition_of(request, ProjectRecord, "project_id")))


async def create_project(request: web.Request) -> web.Response:
    """Create a project, which has no dbt sources, and answer with it and 201."""
    account, cloud = account_of(request), cloud_of(request)
    definitions = cloud.store.definitions
    id_ = definitions.next_id(ProjectRecord)
    empty = ProjectRecord(id_, "", account.id, shown=_UNCONNECTED, created_at=cloud.clock.now())
    project = changed_project(await read_body(request, PROJECT_FIELDS), empty)
    definitions.put(project)
    return found(project_shape(project), 201)


async def update_project(request: web.Request) -> web.Response:
    """Change what the body gives of a project; a state of 2 deletes it."""
    project, cloud = definition_of(request, ProjectRecord, "project_id"), cloud_of(request)
    changed = changed_project(await read_body(request, PROJECT_FIELDS), project)
    changed = replace(changed, updated_at=cloud.clock.now())
    if changed.state == DELETED:
        return found(project_shape(delete(cloud, changed)))
    cloud.store.definitions.put(changed)
    return found(project_shape(changed))


async def delete_project(request: web.Request) -> web.Response:
    """Delete a project, with its environments and jobs."""
    return found(
        project_shape(delete(cloud_of(request), definition_of(request, ProjectRecord, "project_id")))
    )


_DUCKDB = "The connection is DuckDB or that of the project's own profile, and there is no repository."
_BARE = (
    "A new project has no dbt sources: its runs end in an error that says how to give it some. Connection, "
    "repository and semantic layer are kept and have no effect."
)
_CHANGED = f"Fields that the body leaves out stay as they are. {_BARE}"
_DELETED = "Answers 200 and the project, as dbt Cloud's own answers do, where the specification says 204."
_READ, _WRITE = ("projects", "read"), ("projects", "write")

ROUTES = tuple(
    route
    for projects in ("/api/v3/accounts/{account_id}/projects/", "/api/v2/accounts/{account_id}/projects/")
    for route in (
        Route("GET", projects, list_projects, _READ, _DUCKDB),
        Route("POST", projects, create_project, _WRITE, _BARE),
        Route("GET", f"{projects}{{project_id}}/", get_project, _READ, _DUCKDB),
        Route("POST", f"{projects}{{project_id}}/", update_project, _WRITE, _CHANGED),
        Route("DELETE", f"{projects}{{project_id}}/", delete_project, _WRITE, _DELETED),
    )
)

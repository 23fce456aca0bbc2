"""Environment variables in bulk: all values of a variable, in the project and its environments, at once."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.environment_variables import environments_of
from dbtcloud.local.api.routes.path_objects import cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import bad_request, not_found
from dbtcloud.local.model.body_schema import check_object
from dbtcloud.local.model.records import EnvironmentVariable, ProjectRecord
from dbtcloud.local.orchestration.deletion import delete
from dbtcloud.local.orchestration.environment_variables import check_variable, variables_in


async def _create_variables(request: web.Request) -> web.Response:
    """Create variables, each with its values by the names of environments, `project` for the default."""
    body = check_object(await read_body(request, {"env_var": "array"})).get("env_var")
    made = [_create(request, check_object(each)) for each in (body if isinstance(body, list) else [body])]
    return data_response(made)


async def _update_variables(request: web.Request) -> web.Response:
    """Change the values of one variable: by their ids, or by the names of environments without one yet."""
    body = check_object(await read_body(request, {"env_vars": "object"})).get("env_vars")
    values = dict(check_object(body))
    name, new_name = values.pop("name", None), values.pop("new_name", None)
    kept = _called(request, name)
    check_variable(new_name or name, {key: value for key, value in values.items() if value is not None})
    if new_name and new_name != name:
        _refuse_taken(request, new_name)
    places = _places(request)
    deleted = [_end(request, kept[key]) for key in kept if key in values and not values[key]]
    for key, variable in kept.items():
        changed = replace(variable, name=new_name or name, value=values.get(key) or variable.value)
        if variable.id not in deleted:
            cloud_of(request).store.definitions.put(changed)
    new = {key: value for key, value in values.items() if key in places and value}
    ids = [_put(request, new_name or name, value, places[key]) for key, value in new.items()]
    unknown = [key for key in values if key not in kept and key not in places]
    return data_response(
        {
            "message": "Updated.",
            "new_var_ids": ids,
            "deleted_var_ids": deleted,
            "failures": dict.fromkeys(unknown, "There is no such environment or value."),
        }
    )


async def _delete_variables(request: web.Request) -> web.Response:
    """Delete a variable with all its values, a job's own too."""
    body = check_object(await read_body(request, {"name": "string"}))
    for variable in _called(request, body.get("name")).values():
        _end(request, variable)
    return data_response(None)


def _create(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
    values = dict(body)
    name, places = values.pop("new_name", None), _places(request)
    check_variable(name, values)
    _refuse_taken(request, name)
    ids = [_put(request, name, value, places[key]) for key, value in values.items() if key in places]
    failures = {key: "There is no such environment." for key in values if key not in places}
    data = {"message": "Created.", "new_var_ids": ids, "failures": failures}
    return {"status": "success", "status_code": 201, "key_name": name, "data": data}


def _refuse_taken(request: web.Request, name: str) -> None:
    if any(variable.name == name for variable in _variables(request)):
        raise bad_request({"name": f"{name!r} is there already."})


def _put(request: web.Request, name: str, value: str, environment_id: int | None) -> int:
    cloud, project = cloud_of(request), definition_of(request, ProjectRecord, "project_id")
    variable = EnvironmentVariable(
        id=cloud.store.definitions.next_id(EnvironmentVariable),
        name=name,
        value=value,
        type="project" if environment_id is None else "environment",
        account_id=project.account_id,
        project_id=project.id,
        environment_id=environment_id,
        created_at=cloud.clock.now(),
    )
    cloud.store.definitions.put(variable)
    return variable.id


def _end(request: web.Request, variable: EnvironmentVariable) -> int:
    return delete(cloud_of(request), variable).id


def _places(request: web.Request) -> dict[str, int | None]:
    """Return the places a value may be for, by name: the project as a whole (None) and its environments."""
    return {"project": None, **{each.name: each.id for each in environments_of(request)}}


def _called(request: web.Request, name: Any) -> dict[str, EnvironmentVariable]:
    """Return all values of one variable by their ids as text, or 404 where it has none."""
    values = {str(each.id): each for each in _variables(request) if each.name == name}
    if not values:
        raise not_found()
    return values


def _variables(request: web.Request) -> list[EnvironmentVariable]:
    project = definition_of(request, ProjectRecord, "project_id")
    return variables_in(cloud_of(request).store, project.account_id, project.id)


_BULK = "/api/v3/accounts/{account_id}/projects/{project_id}/environment-variables/bulk/"
_NEEDS = ("env_vars", "write")
_WORDED = "Messages are worded in another way."

ROUTES = (
    Route("POST", _BULK, _create_variables, _NEEDS, _WORDED),
    Route("PUT", _BULK, _update_variables, _NEEDS, _WORDED),
    Route(
        "DELETE",
        _BULK,
        _delete_variables,
        _NEEDS,
        "Takes `name`, which the specification does not say; answers 200.",
    ),
)

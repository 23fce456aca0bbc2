"""Environment variables of a project: their values by scope, and single values."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Timestamp
from dbtcloud.local.model.records import (
    DELETED,
    EnvironmentRecord,
    EnvironmentVariable,
    JobRecord,
    ProjectRecord,
)
from dbtcloud.local.model.request_body import BodySchema, RequestBody
from dbtcloud.local.orchestration.environment_variables import SCOPES, ProjectVariables

_FIELDS: BodySchema = {
    "account_id": "integer",
    "project_id": "integer",
    "name": "string",
    "type": "string",
    "user_id": "integer",
    "environment_id": "integer",
    "job_definition_id": "integer",
    "raw_value": "string",
    "display_value": "string",
    "state": "integer",
}
_OWNERS = {"environment": "environment_id", "job": "job_definition_id", "user": "user_id"}


async def _list_by_environment(call: ApiCall) -> web.Response:
    """Return the project's environments, and the value of each variable in each of them."""
    call.query({})
    environments = call.environments()
    names = {environment.id: environment.name for environment in environments}
    table: dict[str, dict[str, Any]] = {}
    for each in _variables(call):
        if each.type == "project" or each.environment_id in names:
            column = names.get(each.environment_id or 0, "project")
            table.setdefault(each.name, {})[column] = _entry(each)
    return data_response({"environments": ["project", *names.values()], "variables": table})


async def _list_by_job(call: ApiCall) -> web.Response:
    """Return the values that apply to a job, by variable and scope."""
    job_id = call.query({"job_definition_id": "integer"}).values.get("job_definition_id")
    if job_id is None:
        return data_response(_by_scope(each for each in _variables(call) if each.type == "project"))
    job = call.cloud.store.definitions.get(JobRecord, job_id)
    if job is None or job.state == DELETED or job.project_id != _project(call).id:
        raise ApiException.not_found()
    return data_response(_by_scope(each for each in _variables(call) if each.applies_to(job)))


async def _list_by_user(call: ApiCall) -> web.Response:
    """Return the values of a user and those that they override."""
    user_id = call.query({"user_id": "integer"}).values.get("user_id")
    # Without a user, only the values of the project: no user has the id 0.
    user_id = user_id or 0
    return data_response(
        _by_scope(each for each in _variables(call) if each.type == "project" or each.user_id == user_id)
    )


async def _create_variable(call: ApiCall) -> web.Response:
    """Create the value of a variable in one scope, and return it with 201."""
    project, cloud = _project(call), call.cloud
    body = RequestBody.as_object(await call.body(_FIELDS))
    RequestBody.check(body, _FIELDS, ("name", "type"))
    value = _value(body) or ""
    ProjectVariables.check(body["name"], {"raw_value": value})
    variable = EnvironmentVariable(
        id=cloud.store.definitions.next_id(EnvironmentVariable),
        name=body["name"],
        value=value,
        account_id=project.account_id,
        project_id=project.id,
        created_at=cloud.clock.now(),
        **_scope(call, body),
    )
    _check_unique(call, variable)
    cloud.store.definitions.put(variable)
    return data_response(_variable_json(variable), 201)


async def _update_variable(call: ApiCall) -> web.Response:
    """Update a value or the name of its variable."""
    variable, cloud = _variable(call), call.cloud
    body = RequestBody.as_object(await call.body(_FIELDS))
    RequestBody.check(body, _FIELDS)
    value, name = _value(body), body.get("name") or variable.name
    ProjectVariables.check(name, {} if value is None else {"raw_value": value})
    changed = replace(variable, name=name, value=variable.value if value is None else value)
    _check_unique(call, changed)
    changed = replace(changed, updated_at=cloud.clock.now())
    if body.get("state") == DELETED:
        changed = cloud.delete(changed)
    cloud.store.definitions.put(changed)
    return data_response(_variable_json(changed))


async def _delete_variable(call: ApiCall) -> web.Response:
    """Delete a value of a variable."""
    return data_response(_variable_json(call.cloud.delete(_variable(call))))


def _variable_json(variable: EnvironmentVariable) -> dict[str, Any]:
    """Return a value of a variable."""
    return {
        "id": variable.id,
        "account_id": variable.account_id,
        "project_id": variable.project_id,
        "name": variable.name,
        "type": variable.type,
        "user_id": variable.user_id,
        "environment_id": variable.environment_id,
        "job_definition_id": variable.job_definition_id,
        "display_value": variable.shown_value,
        "state": variable.state,
        "created_at": Timestamp.spaced(variable.created_at),
        "updated_at": Timestamp.spaced(variable.updated_at or variable.created_at),
        "environment": None,
    }


def _entry(variable: EnvironmentVariable) -> dict[str, Any]:
    return {"id": variable.id, "value": variable.shown_value}


def _by_scope(variables: Iterable[EnvironmentVariable]) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for each in variables:
        table.setdefault(each.name, {})[each.type] = _entry(each)
    return table


def _value(body: dict[str, Any]) -> str | None:
    """Return the value that a body gives, or None if it gives none."""
    given = body.get("raw_value")
    return body.get("display_value") if given is None else given


def _scope(call: ApiCall, body: dict[str, Any]) -> dict[str, Any]:
    """Return the scope and the id of its owner, which must belong to the project."""
    kind = body["type"]
    if kind not in SCOPES:
        raise ApiException.bad_request({"type": f"{kind!r} is not one of {list(SCOPES)!r}"})
    if kind == "project":
        return {"type": kind}
    name = _OWNERS[kind]
    if body.get(name) is None:
        raise ApiException.bad_request({name: f"{name!r} is a required property"})
    if kind != "user":
        owner: type[EnvironmentRecord | JobRecord] = EnvironmentRecord if kind == "environment" else JobRecord
        there = call.cloud.store.definitions.get(owner, body[name])
        if there is None or there.state == DELETED or there.project_id != _project(call).id:
            raise ApiException.not_found()
    return {"type": kind, name: body[name]}


def _check_unique(call: ApiCall, variable: EnvironmentVariable) -> None:
    def scope(each: EnvironmentVariable) -> tuple[Any, ...]:
        return each.name, each.type, each.environment_id, each.job_definition_id, each.user_id

    for other in _variables(call):
        if other.id != variable.id and scope(other) == scope(variable):
            raise ApiException.bad_request(
                {"name": f"{variable.name!r} already has a value in this {variable.type}."}
            )


def _variables(call: ApiCall) -> list[EnvironmentVariable]:
    project = _project(call)
    return ProjectVariables(call.cloud.store, project.account_id, project.id).values()


def _variable(call: ApiCall) -> EnvironmentVariable:
    variable = call.definition(EnvironmentVariable, "variable_id")
    if variable.project_id != _project(call).id:
        raise ApiException.not_found()
    return variable


def _project(call: ApiCall) -> ProjectRecord:
    return call.definition(ProjectRecord, "project_id")


_VARIABLES = "/api/v3/accounts/{account_id}/projects/{project_id}/environment-variables/"
_VARIABLE = f"{_VARIABLES}{{variable_id}}/"
_READ, _WRITE = ("env_vars", "read"), ("env_vars", "write")
_USERS = "Values of users are stored and have no effect."
_DELETED = "Answers 200 and the value, where the specification says 204."

ROUTES = (
    Route("GET", f"{_VARIABLES}environment/", _list_by_environment, _READ),
    Route("GET", f"{_VARIABLES}job/", _list_by_job, _READ),
    Route("GET", f"{_VARIABLES}user/", _list_by_user, _READ, _USERS),
    Route("POST", _VARIABLES, _create_variable, _WRITE, _USERS),
    Route("POST", _VARIABLE, _update_variable, _WRITE, _USERS),
    Route("DELETE", _VARIABLE, _delete_variable, _WRITE, _DELETED),
)

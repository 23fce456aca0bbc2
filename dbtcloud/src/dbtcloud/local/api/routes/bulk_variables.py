"""Environment variables in bulk: all values of a variable, in the project and its environments."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

from aiohttp import web

from dbtcloud.local.api.responses.envelope import data_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import EnvironmentVariable, ProjectRecord
from dbtcloud.local.model.request_body import RequestBody
from dbtcloud.local.orchestration.environment_variables import ProjectVariables


async def _create_variables(call: ApiCall) -> web.Response:
    """Create variables, each with its values by environment name, or `project` for the default.

    If one of them is refused, none is created.
    """
    body = RequestBody.as_object(await call.body({"env_var": "array"})).get("env_var")
    entries = [RequestBody.as_object(each) for each in (body if isinstance(body, list) else [body])]
    _check_new(call, entries)
    scopes = _scopes(call)
    groups = [_new_values(call, entry, scopes) for entry in entries]
    ids = count(call.cloud.store.definitions.next_id(EnvironmentVariable))
    groups = [[replace(value, id=next(ids)) for value in group] for group in groups]
    call.cloud.store.definitions.put_all(chain.from_iterable(groups))
    return data_response(
        [_created(entry, group, scopes) for entry, group in zip(entries, groups, strict=True)]
    )


async def _update_variables(call: ApiCall) -> web.Response:
    """Update a variable's values by their ids, or add values by environment name."""
    body = RequestBody.as_object(await call.body({"env_vars": "object"})).get("env_vars")
    values = dict(RequestBody.as_object(body))
    name, new_name = values.pop("name", None), values.pop("new_name", None)
    stored = _values_of(call, name)
    ProjectVariables.check(
        new_name or name, {key: value for key, value in values.items() if value is not None}
    )
    if new_name and new_name != name:
        _check_unused(call, new_name)
    scopes = _scopes(call)
    deleted = [_delete_value(call, stored[key]) for key in stored if key in values and not values[key]]
    for key, variable in stored.items():
        changed = replace(variable, name=new_name or name, value=values.get(key) or variable.value)
        if variable.id not in deleted:
            call.cloud.store.definitions.put(changed)
    new = {key: value for key, value in values.items() if key in scopes and value}
    ids = [_store_value(call, new_name or name, value, scopes[key]) for key, value in new.items()]
    unknown = [key for key in values if key not in stored and key not in scopes]
    return data_response(
        {
            "message": "Updated.",
            "new_var_ids": ids,
            "deleted_var_ids": deleted,
            "failures": dict.fromkeys(unknown, "There is no such environment or value."),
        }
    )


async def _delete_variables(call: ApiCall) -> web.Response:
    """Delete a variable with all its values, including those of jobs."""
    body = RequestBody.as_object(await call.body({"name": "string"}))
    for variable in _values_of(call, body.get("name")).values():
        _delete_value(call, variable)
    return data_response(None)


def _check_new(call: ApiCall, entries: Sequence[Mapping[str, Any]]) -> None:
    """Check variables that are to be created, or raise 400 with the reason for each that is refused."""
    names = [entry.get("new_name") for entry in entries]
    failures = []
    for position, (name, entry) in enumerate(zip(names, entries, strict=True)):
        try:
            ProjectVariables.check(name, _values_in(entry))
            if name in names[:position]:
                raise ApiException.bad_request({"name": f"{name!r} is in the request twice."})
            _check_unused(call, name)
        except ApiException as error:
            reason = " ".join(error.data.values())
            failure = {"status": "failure", "status_code": error.code, "key_name": name, "reason": reason}
            failures.append(failure)
    if failures:
        raise ApiException.bad_request(failures)


def _new_values(
    call: ApiCall, entry: Mapping[str, Any], scopes: Mapping[str, int | None]
) -> list[EnvironmentVariable]:
    """Return the values of a variable that is to be created. They have no ids yet."""
    values = _values_in(entry)
    return [
        _new_value(call, 0, entry["new_name"], value, scopes[key])
        for key, value in values.items()
        if key in scopes
    ]


def _created(
    entry: Mapping[str, Any], values: Iterable[EnvironmentVariable], scopes: Collection[str]
) -> dict[str, Any]:
    failures = {key: "There is no such environment." for key in _values_in(entry) if key not in scopes}
    ids = [value.id for value in values]
    data = {"message": "Created.", "new_var_ids": ids, "failures": failures}
    return {"status": "success", "status_code": 201, "key_name": entry["new_name"], "data": data}


def _values_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "new_name"}


def _check_unused(call: ApiCall, name: Any) -> None:
    if any(variable.name == name for variable in _variables(call)):
        raise ApiException.bad_request({"name": f"{name!r} exists already."})


def _store_value(call: ApiCall, name: str, value: str, environment_id: int | None) -> int:
    """Store a new value and return its id."""
    definitions = call.cloud.store.definitions
    variable = _new_value(call, definitions.next_id(EnvironmentVariable), name, value, environment_id)
    definitions.put(variable)
    return variable.id


def _new_value(
    call: ApiCall, id_: int, name: str, value: str, environment_id: int | None
) -> EnvironmentVariable:
    project = call.definition(ProjectRecord, "project_id")
    return EnvironmentVariable(
        id=id_,
        name=name,
        value=value,
        type="project" if environment_id is None else "environment",
        account_id=project.account_id,
        project_id=project.id,
        environment_id=environment_id,
        created_at=call.cloud.clock.now(),
    )


def _delete_value(call: ApiCall, variable: EnvironmentVariable) -> int:
    """Delete a value and return its id."""
    return call.cloud.delete(variable).id


def _scopes(call: ApiCall) -> dict[str, int | None]:
    """Return the environment ids that a value may have, by name. That of the whole project is None."""
    return {"project": None, **{each.name: each.id for each in call.environments()}}


def _values_of(call: ApiCall, name: Any) -> dict[str, EnvironmentVariable]:
    """Return all values of one variable, by their ids as text, or raise 404."""
    values = {str(each.id): each for each in _variables(call) if each.name == name}
    if not values:
        raise ApiException.not_found()
    return values


def _variables(call: ApiCall) -> list[EnvironmentVariable]:
    project = call.definition(ProjectRecord, "project_id")
    return ProjectVariables(call.cloud.store, project.account_id, project.id).values()


_BULK = "/api/v3/accounts/{account_id}/projects/{project_id}/environment-variables/bulk/"
_NEEDS = ("env_vars", "write")
_OTHER_WORDS = "The messages have other words."

ROUTES = (
    Route("POST", _BULK, _create_variables, _NEEDS, _OTHER_WORDS),
    Route("PUT", _BULK, _update_variables, _NEEDS, _OTHER_WORDS),
    Route(
        "DELETE",
        _BULK,
        _delete_variables,
        _NEEDS,
        "Requires `name`, which is not in the specification. Answers 200.",
    ),
)

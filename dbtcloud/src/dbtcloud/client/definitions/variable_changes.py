"""Calls that create, update and delete environment variables, and the values that jobs have instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.changes import delete_object
from dbtcloud.client.definitions.environment_variable import (
    JOB,
    PROJECT,
    CustomEnvironmentVariable,
    checked_values,
    is_secret,
    variable_rows,
)
from dbtcloud.client.errors import DbtCloudError, InvalidArgument, MalformedResponse
from dbtcloud.client.models import Json
from dbtcloud.client.protocol import Call, Id, Request, ask_for_data, identifier
from dbtcloud.client.typed_json import TypedFields


@dataclass(frozen=True, slots=True)
class VariablesOfProject:
    """The environment variables of a project (API v3, "Projects Environment Variables").

    Attributes:
        account_id: The account.
        project_id: The project.
    """

    account_id: Id
    project_id: Id

    @property
    def list_request(self) -> Request:
        """The request for the variables, with their values in the project and its environments."""
        return Request.get(self.account_id, *self._path.split("/"), "environment", version="v3")

    def create(self, name: str, value: str | Mapping[str, str]) -> Call[CustomEnvironmentVariable]:
        """Create a variable, and return it (see `EnvironmentVariables.create`)."""
        values = {scope: each for scope, each in checked_values(name, value).items() if each is not None}
        if not values:
            raise InvalidArgument(f"{name} has no value", fix="Give one, for the project or an environment")
        yield from self._check_scopes(name, values)
        yield from self._send_bulk("POST", {"env_var": [{"new_name": name, **values}]}, name, values)
        return (yield from self._find(name))

    def update(
        self, name: str, value: str | Mapping[str, str | None] | None, new_name: str | None
    ) -> Call[CustomEnvironmentVariable]:
        """Change values of a variable or its name, and return it (see `EnvironmentVariables.update`)."""
        values = {} if value is None else checked_values(name, value)
        stored = yield from self._check_scopes(name, values)
        # A value that is there goes by its id; one for an environment without a value goes by its name.
        keys = {scope: str(stored[scope].id) if scope in stored else scope for scope in values}
        changes = {keys[scope]: each for scope, each in values.items() if each is not None or scope in stored}
        renamed = {} if new_name is None else {"new_name": new_name}
        body = {"env_vars": {"name": name, **renamed, **changes}}
        yield from self._send_bulk("PUT", body, f"{name} {new_name or ''}", values)
        found = {each.name: each for each in (yield from ask_for_data(self.list_request, _variables))}
        # Without a value, there is no variable any more.
        return found.get(new_name or name) or CustomEnvironmentVariable(new_name or name, {}, {})

    def delete(self, name: str) -> Call[None]:
        """Delete a variable with all its values (see `EnvironmentVariables.delete`)."""
        checked_values(name, None)
        yield from delete_object(self.account_id, f"{self._path}/bulk/", body={"name": name})

    def overrides(self, job_id: Id) -> Call[list[CustomEnvironmentVariable]]:
        """Return the variables for which a job has a value of its own."""
        query = {"job_definition_id": identifier(job_id, "job id")}
        request = Request.get(self.account_id, *self._path.split("/"), "job", version="v3", query=query)
        found = yield from ask_for_data(request, _variables)
        return [variable for variable in found if JOB in variable.values]

    def set_override(self, job_id: Id, name: str, value: str) -> Call[CustomEnvironmentVariable]:
        """Give a job a value of its own, and return the variable."""
        checked_values(name, {JOB: "" if value is None else value})
        stored = {each.name: each for each in (yield from self.overrides(job_id))}
        body = {
            "account_id": int(self.account_id),
            "project_id": int(self.project_id),
            "name": name,
            "type": JOB,
            "job_definition_id": int(job_id),
            "raw_value": value,
        }
        path = f"{self._path}/{stored[name].values[JOB].id}/" if name in stored else f"{self._path}/"
        request = self._request("POST", path, body, name, [value])
        yield from ask_for_data(replace(request, repeatable=name in stored), _check_object)
        return _only(name, (yield from self.overrides(job_id)))

    def delete_override(self, job_id: Id, name: str) -> Call[None]:
        """Take the job's own value of a variable away."""
        stored = {each.name: each for each in (yield from self.overrides(job_id))}
        if name not in stored:
            has = ", ".join(sorted(stored))
            raise InvalidArgument(
                f"Job {job_id} has no value of its own for {name!r}",
                why=f"It has values for {has}" if has else "It has none for any variable",
                fix="Correct the name, or leave the job as it is",
            )
        yield from delete_object(self.account_id, f"{self._path}/{stored[name].values[JOB].id}/")

    @property
    def _path(self) -> str:
        return f"projects/{identifier(self.project_id, 'project id')}/environment-variables"

    def _find(self, name: str) -> Call[CustomEnvironmentVariable]:
        return _only(name, (yield from ask_for_data(self.list_request, _variables)))

    def _check_scopes(self, name: str, values: Collection[str]) -> Call[Mapping[str, Any]]:
        """Check that all environments exist, and return the values that the variable has."""
        data = yield from endpoints.get_data(self.list_request)
        scopes = TypedFields(data, "a list of environment variables").required_sequence("environments")
        if unknown := [scope for scope in values if scope not in {PROJECT, *scopes}]:
            raise InvalidArgument(
                f"The project has no environment named {unknown[0]!r}",
                why=f"Its environments are {', '.join(map(repr, scopes[1:])) or 'none'}",
                fix=f"Give one of these names, or {PROJECT!r} for the whole project",
            )
        found = [variable for variable in _variables(data) if variable.name == name]
        return found[0].values if found else {}

    def _send_bulk(self, method: str, body: Json, name: str, values: Mapping[str, str | None]) -> Call[None]:
        request = self._request(method, f"{self._path}/bulk/", body, name, values.values())
        yield from ask_for_data(request, _check_failures)

    def _request(
        self, method: str, path: str, body: Json, names: str, values: Collection[str | None]
    ) -> Request:
        """Return a request whose values no error shows if one of the names is that of a secret."""
        request = Request.any(self.account_id, method, path, params={}, body=body, version="v3")
        hidden = any(map(is_secret, names.split()))
        return replace(request, secrets=tuple(value for value in values if value and hidden))


def _variables(data: Any) -> list[CustomEnvironmentVariable]:
    return [CustomEnvironmentVariable.parse(row) for row in variable_rows(data)]


def _only(name: str, variables: Collection[CustomEnvironmentVariable]) -> CustomEnvironmentVariable:
    for variable in variables:
        if variable.name == name:
            return variable
    raise MalformedResponse(f"dbt Cloud has stored {name}, but does not list it")


def _check_object(data: Any) -> None:
    TypedFields(data, "a value of an environment variable").required_integer("id")


def _check_failures(data: Any) -> None:
    """Raise an error if dbt Cloud has stored only some of the values."""
    entries = data if isinstance(data, list) else [data]
    answers = [entry.get("data", entry) for entry in entries if isinstance(entry, Mapping)]
    failures = [answer.get("failures") for answer in answers if isinstance(answer, Mapping)]
    if reasons := [failure for failure in failures if failure]:
        raise DbtCloudError(
            "dbt Cloud has not stored all values of an environment variable",
            why=f"It said: {'; '.join(map(str, reasons))}",
            fix="List the project's variables, and correct the values that it names",
        )

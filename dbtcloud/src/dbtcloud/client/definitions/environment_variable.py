"""The environment variables of a project: their values in the project, its environments and its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.models import Json
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.typed_json import TypedFields

PROJECT, JOB = "project", "job"
"""The scopes of a value that belongs to no environment: that of the whole project, and that of one job."""

_SECRET_PREFIX = "DBT_ENV_SECRET_"  # noqa: S105 -- of names
_HIDDEN = "********"


@dataclass(frozen=True, slots=True)
class EnvironmentVariableValue:
    """A value of an environment variable.

    Attributes:
        id: The id of the value.
        value: The value; asterisks for that of a secret, and None if dbt Cloud did not send one.
    """

    id: int
    value: str | None


@dataclass(frozen=True, slots=True)
class CustomEnvironmentVariable:
    """An environment variable of a project. If it is secret, nothing here has its values.

    Attributes:
        name: Such as "DBT_SCHEMA".
        values: Its values by scope: "project" for that of the whole project, and the names of environments.
            In a job's overrides the scopes are "project", "environment" and "job".
        data: The values as dbt Cloud sent them.
    """

    name: str
    values: Mapping[str, EnvironmentVariableValue] = field(hash=False)
    data: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: Json) -> Self:
        """Parse the variable from a row of `variable_rows`.

        Raises:
            MalformedResponse: If a value has no id, or a field has an unexpected type.
        """
        name, sent = row["id"], TypedFields(row, "an environment variable").required_mapping("values")
        data = {scope: _without_secret(name, entry) for scope, entry in sent.items()}
        values = {scope: _value(entry) for scope, entry in data.items()}
        return cls(name, {scope: value for scope, value in values.items() if value is not None}, data)

    @property
    def is_secret(self) -> bool:
        """Whether dbt Cloud hides its values, by its name."""
        return is_secret(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return its name, and its values as dbt Cloud sent them, as plain JSON values."""
        return {"name": self.name, "values": dict(self.data)}


def variable_rows(data: Any) -> list[Json]:
    """Return the variables in `data` of a list, each with its name as `id` and its `values` by scope.

    Args:
        data: A mapping of names to values, or one that has it as `variables`: lists for jobs and for
            environments differ ("Retrieve Projects Environment Variables …").

    Raises:
        MalformedResponse: If it is something else.
    """
    if isinstance(data, Mapping) and "environments" in data:
        data = TypedFields(data, "a list of environment variables").required_mapping("variables")
    table = TypedFields({"variables": data}, "a list of environment variables").required_mapping("variables")
    return [{"id": name, "values": values} for name, values in table.items()]


def is_secret(name: str) -> bool:
    """Return whether dbt Cloud hides the values of a variable."""
    return name.upper().startswith(_SECRET_PREFIX)


def checked_values(name: object, value: object) -> dict[str, str | None]:
    """Return the values to store by scope. No message shows one.

    Args:
        name: The variable.
        value: A value for the whole project, or values by scope; None for no value.

    Raises:
        InvalidArgument: If the name is empty or a value is no text.
    """
    if not isinstance(name, str) or not name.strip():
        shown = shown_value(name)
        raise InvalidArgument(
            f"{shown[:1].upper()}{shown[1:]} is not a name of an environment variable",
            fix="Give a name such as DBT_SCHEMA, or DBT_ENV_SECRET_TOKEN for a secret",
        )
    values: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {PROJECT: value}
    for scope, each in values.items():
        if each is not None and (not isinstance(each, str) or not each):
            kind = "an empty text" if each == "" else f"a value of the type {type(each).__name__}"
            raise InvalidArgument(
                f"{name} cannot have {kind} in {scope}",
                why="dbt Cloud stores texts with at least one character",
                fix="Give a text; to remove a value, give None to update()",
            )
    return values


def _without_secret(name: str, entry: Any) -> Any:
    """Return a value without what it says, if it is secret: dbt Cloud should not have sent that."""
    if not isinstance(entry, Mapping) or not is_secret(name) or entry.get("value") is None:
        return entry
    return {**entry, "value": _HIDDEN}


def _value(entry: Any) -> EnvironmentVariableValue | None:
    if entry is None:  # a scope without a value
        return None
    fields = TypedFields(entry, "a value of an environment variable")
    return EnvironmentVariableValue(fields.required_integer("id"), fields.text("value"))

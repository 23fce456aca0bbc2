"""Query strings, read as dbt Cloud reads them.

Each endpoint lists its parameters. Others are refused.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Timestamp
from dbtcloud.local.model.records import ACTIVE
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery

_MAX_LIMIT = 100  # the largest page (docs.getdbt.com, API limits of October 2023)

QuerySchema = Mapping[str, str | tuple[str, ...]]
"""By parameter name, the kind of its value, or the columns of `order_by`.

The kinds are `integer`, `string`, `boolean`, `array of integer`, `array of string`, `hundred integers` (an
array of at most so many), `time range`, `state`, `limit` and `offset`.
"""

PAGING: QuerySchema = {"limit": "limit", "offset": "offset"}
"""The parameters of every list."""


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """A query string: its values by name, and the names in `include_related`."""

    values: Mapping[str, Any]
    include: frozenset[str]

    @classmethod
    def parse(cls, request: web.Request, schema: QuerySchema) -> Self:
        """Read a request's query string.

        Raises:
            ApiException: 400: a parameter is not in `schema`, or its value is of another kind.
        """
        known = {**schema, "account_id": "integer"}
        parameters = {name: request.query.getall(name) for name in request.query}
        include = _included_names(parameters.pop("include_related", []))
        if unknown := [name for name in parameters if name not in known]:
            raise ApiException.unknown_properties(unknown)
        wrong, values = {}, {}
        for name, texts in parameters.items():
            try:
                values[name] = _read(known[name], _single(texts))
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            raise ApiException.bad_request(wrong)
        return cls(values, include)

    def page(self) -> PageQuery:
        """Return the requested page of the list."""
        names = ("limit", "offset", "order_by")
        return PageQuery(**{name: self.values[name] for name in names if name in self.values})

    def applied_filters(self, account_id: int) -> dict[str, Any]:
        """Return the filters as `extra.filters` shows them: all parameters but those of paging and order."""
        paging = {"limit", "offset", "order_by"}
        filters = {name: value for name, value in self.values.items() if name not in paging}
        return {**{name: _shown(name, value) for name, value in filters.items()}, "account_id": account_id}

    def definition_query(self, account_id: int, within: Mapping[str, Sequence[int]] = {}) -> DefinitionQuery:
        """Return the query of the store for the definitions that the filters match.

        Args:
            account_id: the account of the definitions.
            within: further conditions: the values that a column may have.
        """
        values = self.values
        return DefinitionQuery(
            account_id,
            [*within.items(), *_column_conditions(values)],
            _field_conditions(values),
            max((values[name] for name in ("pk__gt", "id__gt") if name in values), default=None),
            values.get("name__icontains"),
            values.get("name"),
        )


def _read(kind: str | tuple[str, ...], text: str) -> Any:
    return _READERS[kind](text) if isinstance(kind, str) else _read_order(text, kind)


def _included_names(texts: list[str]) -> frozenset[str]:
    """Read `include_related`, which clients repeat, join by commas or write as a list."""
    return frozenset(name for text in texts for name in re.split(r"[\[\]'\",\s]+", text) if name)


def _read_integer(text: str) -> int:
    """Read an integer."""
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError(f"{text!r} is not of type 'integer'")
    return int(text)


def _read_integers(text: str) -> list[int]:
    """Read a JSON array of integers, the only form that dbt Cloud accepts (apache/airflow#40047)."""
    values = _json_array(text)
    if not all(type(value) is int and abs(value) < 2**63 for value in values):
        raise _no_match(text)
    return values


def _read_strings(text: str) -> list[str]:
    """Read a JSON array of strings."""
    values = _json_array(text)
    if not all(isinstance(value, str) for value in values):
        raise _no_match(text)
    return values


def _read_hundred_integers(text: str) -> list[int]:
    """Read a JSON array of at most a hundred integers."""
    values = _read_integers(text)
    if len(values) > _MAX_LIMIT:
        raise ValueError(f"{text!r} is too long")
    return values


def _read_time_range(text: str) -> tuple[int, int]:
    """Read a JSON array of two timestamps, as microseconds since 1970, UTC."""
    values = _json_array(text)
    if len(values) != 2 or not all(isinstance(value, str) for value in values):
        raise _no_match(text)
    try:
        return Timestamp.parse(values[0]), Timestamp.parse(values[1])
    except ValueError:
        raise _no_match(text) from None


def _read_limit(text: str) -> int:
    """Read the size of a page."""
    value = _read_integer(text)
    if value > _MAX_LIMIT:
        raise ValueError(f"{value} is greater than the maximum of {_MAX_LIMIT}")
    return _at_least(value, 1)


def _read_offset(text: str) -> int:
    """Read how many rows to skip."""
    return _at_least(_read_integer(text), 0)


def _read_state(text: str) -> int | None:
    """Read `active`, `deleted`, `all` (None) or a number."""
    states = {"active": 1, "deleted": 2, "all": None}
    return states[text] if text in states else _read_integer(text)


def _read_boolean(text: str) -> bool:
    """Read `true` or `false`, in any case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is not of type 'boolean'")
    return text.lower() == "true"


def _read_order(text: str, columns: tuple[str, ...]) -> str:
    """Read one of some columns, with or without `-` in front."""
    if text.removeprefix("-") not in columns:
        raise _no_match(text)
    return text


def _shown(name: str, value: Any) -> Any:
    if name == "state" and value is None:
        return "all"
    return [Timestamp.iso(instant) for instant in value] if isinstance(value, tuple) else value


def _single(texts: list[str]) -> str:
    if len(texts) > 1:
        raise _no_match(texts)
    return texts[0]


def _json_array(text: str) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_match(text) from None
    if not isinstance(values, list):
        raise _no_match(text)
    return values


def _no_match(value: Any) -> ValueError:
    # The words of the library jsonschema, as in dbt Cloud's own messages.
    return ValueError(f"{value!r} is not valid under any of the given schemas")


def _at_least(value: int, minimum: int) -> int:
    if value < minimum:
        raise ValueError(f"{value} is less than the minimum of {minimum}")
    return value


def _field_conditions(values: Mapping[str, Any]) -> list[tuple[str, Sequence[int | str | None]]]:
    """Return the conditions on fields without a column, by their paths."""
    paths = {
        "dbt_version": "dbt_version",
        "deployment_type": "deployment_type",
        "type": "type",
        "credentials_id": "shown.credentials_id",
    }
    conditions: list[tuple[str, Sequence[int | str | None]]] = []
    for name, path in paths.items():
        conditions += [(path, [values[name]])] if name in values else []
        conditions += [(path, values[f"{name}__in"])] if f"{name}__in" in values else []
    if "triggers_schedule" in values:
        # JSON's true is 1 in SQLite. A trigger that was never set is false.
        conditions.append(("triggers.schedule", [1] if values["triggers_schedule"] else [0]))
    return conditions


def _column_conditions(values: Mapping[str, Any]) -> list[tuple[str, Sequence[int]]]:
    columns = {"pk": "id", "project_id": "project_id", "environment_id": "environment_id"}
    conditions: list[tuple[str, Sequence[int]]] = []
    for name, column in columns.items():
        conditions += [(column, [values[name]])] if name in values else []
        conditions += [(column, values[f"{name}__in"])] if f"{name}__in" in values else []
    state = values.get("state", ACTIVE)
    return conditions if state is None else [*conditions, ("state", [state])]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _read_integer,
    "string": str,
    "boolean": _read_boolean,
    "array of integer": _read_integers,
    "array of string": _read_strings,
    "hundred integers": _read_hundred_integers,
    "time range": _read_time_range,
    "state": _read_state,
    "limit": _read_limit,
    "offset": _read_offset,
}

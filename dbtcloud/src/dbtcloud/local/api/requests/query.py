"""Query strings, read as dbt Cloud reads them. Each endpoint lists its parameters; others are refused."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import iso_timestamp, parse_instant
from dbtcloud.local.store.queries import PageQuery

_MAX_LIMIT = 100  # the largest page (docs.getdbt.com, API limits of October 2023)

_Reader = Callable[[str], Any]

Readers = Mapping[str, _Reader]
"""By parameter name, what converts its text to its value, or raises ValueError."""


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """A query string: its values by name, and the names in `include_related`."""

    values: Mapping[str, Any]
    include: frozenset[str]

    def page(self) -> PageQuery:
        """Return the requested page of the list."""
        names = ("limit", "offset", "order_by")
        return PageQuery(**{name: self.values[name] for name in names if name in self.values})

    def applied_filters(self, account_id: int) -> dict[str, Any]:
        """Return the filters as `extra.filters` shows them: all parameters but those of paging and order."""
        paging = {"limit", "offset", "order_by"}
        filters = {name: value for name, value in self.values.items() if name not in paging}
        return {**{name: _shown(name, value) for name, value in filters.items()}, "account_id": account_id}


def parse_query(request: web.Request, readers: Readers) -> QueryParameters:
    """Read a request's query string.

    Raises:
        ApiException: 400: a name is not in `readers`, or its reader refuses the value.
    """
    known = {**readers, "account_id": read_integer}
    parameters = {name: request.query.getall(name) for name in request.query}
    include = _included_names(parameters.pop("include_related", []))
    if unknown := [name for name in parameters if name not in known]:
        raise ApiException.unknown_properties(unknown)
    wrong, values = {}, {}
    for name, texts in parameters.items():
        try:
            values[name] = known[name](_single(texts))
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise ApiException.bad_request(wrong)
    return QueryParameters(values, include)


def _included_names(texts: list[str]) -> frozenset[str]:
    """Read `include_related`, which clients repeat, join by commas or write as a list."""
    return frozenset(name for text in texts for name in re.split(r"[\[\]'\",\s]+", text) if name)


def read_integer(text: str) -> int:
    """Read an integer."""
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError(f"{text!r} is not of type 'integer'")
    return int(text)


def read_integers(text: str) -> list[int]:
    """Read a JSON array of integers, the only form that dbt Cloud accepts (apache/airflow#40047)."""
    values = _json_array(text)
    if not all(type(value) is int and abs(value) < 2**63 for value in values):
        raise _no_match(text)
    return values


def read_strings(text: str) -> list[str]:
    """Read a JSON array of strings."""
    values = _json_array(text)
    if not all(isinstance(value, str) for value in values):
        raise _no_match(text)
    return values


def read_hundred_integers(text: str) -> list[int]:
    """Read a JSON array of at most a hundred integers."""
    values = read_integers(text)
    if len(values) > _MAX_LIMIT:
        raise ValueError(f"{text!r} is too long")
    return values


def read_time_range(text: str) -> tuple[int, int]:
    """Read a JSON array of two timestamps, as microseconds since 1970, UTC."""
    values = _json_array(text)
    if len(values) != 2 or not all(isinstance(value, str) for value in values):
        raise _no_match(text)
    try:
        return parse_instant(values[0]), parse_instant(values[1])
    except ValueError:
        raise _no_match(text) from None


def _read_limit(text: str) -> int:
    """Read the size of a page."""
    value = read_integer(text)
    if value > _MAX_LIMIT:
        raise ValueError(f"{value} is greater than the maximum of {_MAX_LIMIT}")
    return _at_least(value, 1)


def _read_offset(text: str) -> int:
    """Read how many rows to skip."""
    return _at_least(read_integer(text), 0)


def read_state(text: str) -> int | None:
    """Read `active`, `deleted`, `all` (None) or a number."""
    states = {"active": 1, "deleted": 2, "all": None}
    return states[text] if text in states else read_integer(text)


def read_text(text: str) -> str:
    """Read any string."""
    return text


def read_boolean(text: str) -> bool:
    """Read `true` or `false`, in any case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is not of type 'boolean'")
    return text.lower() == "true"


def read_order(*columns: str) -> _Reader:
    """Return a reader of one of some columns, with or without `-` in front."""

    def read(text: str) -> str:
        if text.removeprefix("-") not in columns:
            raise _no_match(text)
        return text

    return read


def _shown(name: str, value: Any) -> Any:
    if name == "state" and value is None:
        return "all"
    return [iso_timestamp(instant) for instant in value] if isinstance(value, tuple) else value


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
    return ValueError(f"{value!r} is not valid under any of the given schemas")


def _at_least(value: int, minimum: int) -> int:
    if value < minimum:
        raise ValueError(f"{value} is less than the minimum of {minimum}")
    return value


PAGING: Readers = {"limit": _read_limit, "offset": _read_offset}
"""The parameters of every list."""

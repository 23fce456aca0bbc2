"""Query strings: what each endpoint knows, in the forms that dbt Cloud reads, and 400 for the rest."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dbtcloud.local.model.api_errors import invalid, not_served, unexpected
from dbtcloud.local.model.clock import iso, parse_instant
from dbtcloud.local.store.interface import PageQuery

MAX_LIMIT = 100
"""The largest page (docs.getdbt.com, API limits of October 2023); asking for more is an error."""

Reader = Callable[[str], Any]
"""Turns a parameter's text into its value; ValueError when it does not fit."""

Readers = Mapping[str, Reader | None]
"""Readers by name; None for a parameter that dbt Cloud knows and this server does not."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A query string that was understood: values by name, and what to include."""

    values: Mapping[str, Any]
    include: frozenset[str]

    def page(self) -> PageQuery:
        """Return the part of the list that was asked for."""
        names = ("limit", "offset", "order_by")
        return PageQuery(**{name: self.values[name] for name in names if name in self.values})

    def echo(self, account_id: int) -> dict[str, Any]:
        """Return what `extra.filters` echoes: everything that narrowed the list, as it was understood."""
        paging = {"limit", "offset", "order_by"}
        narrowing = {name: value for name, value in self.values.items() if name not in paging}
        return {**{name: _shown(name, value) for name, value in narrowing.items()}, "account_id": account_id}


def parse(request: web.Request, readers: Readers) -> Parameters:
    """Read a request's query string.

    Raises:
        Refusal: 400 for a name that is not in `readers`, and for a value that its reader does not take; 501
            for a name without a reader.
    """
    known: dict[str, Reader | None] = {**readers, "account_id": integer}
    given = {name: request.query.getall(name) for name in request.query}
    include = included(given.pop("include_related", []))
    if strange := [name for name in given if name not in known]:
        raise unexpected(strange)
    wrong, values = {}, {}
    for name, texts in given.items():
        reader = known[name]
        if reader is None:
            raise not_served(request.method, f"{request.path} with {name}")
        try:
            values[name] = reader(_single(texts))
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise invalid(wrong)
    return Parameters(values, include)


def included(texts: list[str]) -> frozenset[str]:
    """Read `include_related`: repeated, comma-joined, a list written as text, or empty."""
    return frozenset(name for text in texts for name in re.split(r"[\[\]'\",\s]+", text) if name)


def integer(text: str) -> int:
    """Read a whole number."""
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError(f"{text!r} is not of type 'integer'")
    return int(text)


def integers(text: str) -> list[int]:
    """Read a JSON array of whole numbers, the one form dbt Cloud takes (apache/airflow#40047)."""
    values = _json_array(text)
    if not all(type(value) is int and abs(value) < 2**63 for value in values):
        raise _misfit(text)
    return values


def strings(text: str) -> list[str]:
    """Read a JSON array of strings."""
    values = _json_array(text)
    if not all(isinstance(value, str) for value in values):
        raise _misfit(text)
    return values


def hundred_integers(text: str) -> list[int]:
    """Read a JSON array of at most a hundred whole numbers."""
    values = integers(text)
    if len(values) > MAX_LIMIT:
        raise ValueError(f"{text!r} is too long")
    return values


def instants(text: str) -> tuple[int, int]:
    """Read a JSON array of two moments, as microseconds since 1970, UTC."""
    values = _json_array(text)
    if len(values) != 2 or not all(isinstance(value, str) for value in values):
        raise _misfit(text)
    try:
        return parse_instant(values[0]), parse_instant(values[1])
    except ValueError:
        raise _misfit(text) from None


def limit(text: str) -> int:
    """Read a page size."""
    value = integer(text)
    if value > MAX_LIMIT:
        raise ValueError(f"{value} is greater than the maximum of {MAX_LIMIT}")
    return _at_least(value, 1)


def offset(text: str) -> int:
    """Read how many rows to pass over."""
    return _at_least(integer(text), 0)


def state(text: str) -> int | None:
    """Read `active`, `deleted`, `all` (None) or a number."""
    words = {"active": 1, "deleted": 2, "all": None}
    return words[text] if text in words else integer(text)


def words(text: str) -> str:
    """Read any text."""
    return text


def boolean(text: str) -> bool:
    """Read `true` or `false`, in any case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is not of type 'boolean'")
    return text.lower() == "true"


def order(*columns: str) -> Reader:
    """Return a reader of one of these columns, with or without `-` in front."""

    def read(text: str) -> str:
        if text.removeprefix("-") not in columns:
            raise _misfit(text)
        return text

    return read


def _shown(name: str, value: Any) -> Any:
    if name == "state" and value is None:
        return "all"
    return [iso(instant) for instant in value] if isinstance(value, tuple) else value


def _single(texts: list[str]) -> str:
    if len(texts) > 1:
        raise _misfit(texts)
    return texts[0]


def _json_array(text: str) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _misfit(text) from None
    if not isinstance(values, list):
        raise _misfit(text)
    return values


def _misfit(value: Any) -> ValueError:
    return ValueError(f"{value!r} is not valid under any of the given schemas")


def _at_least(value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"{value} is less than the minimum of {least}")
    return value


PAGING: Readers = {"limit": limit, "offset": offset}
"""What every list takes."""

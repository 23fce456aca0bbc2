"""Read the JSON of dbt Cloud's API: what has another type than documented is an error and never a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar, cast

from dbtcloud.client.errors import MalformedResponse

_T = TypeVar("_T")

# Answers of the API have about ten levels. Far deeper ones can be parsed, but not be shown, copied or stored:
# Python's `repr` and `copy` and Airflow's XComs call themselves for each level.
_MAX_DEPTH = 64

_CONTAINERS = frozenset({dict, list})

_MAX_INTEGER = 2**63  # dbt Cloud stores ids as BIGINT, and Airflow hands on no larger numbers


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Raises:
        ValueError: If it is not JSON, is nested too deeply, or has a text with half a character.
    """
    text = body.decode()
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("It is nested too deeply") from error
    if _is_too_deep(value):
        raise ValueError("It is nested too deeply")
    if "\\ud" in text or "\\uD" in text:
        # The escape of half a character (a lone surrogate) yields a text that no file, log or XCom can hold.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _is_too_deep(value: Any) -> bool:
    # Each answer to a poll has thousands of values, so this counts: types are compared, and not one by one.
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(_MAX_DEPTH):
        if not level:
            return False
        children = chain.from_iterable([each.values() if type(each) is dict else each for each in level])
        level = [child for child in children if type(child) in _CONTAINERS]
    return bool(level)


class TypedFields:
    """The fields of an object of the API.

    Each method returns a field, or None if it is missing or null. Where the name is that of a required field,
    there is always a value.

    Args:
        data: The object.
        kind: What it is in an error message, such as "a run".

    Raises:
        MalformedResponse: From each method, if `data` is not an object, the field has another type, or a
            required field is missing. The message has none of its values.
    """

    __slots__ = ("_data", "_fields", "_kind")

    def __init__(self, data: object, kind: str) -> None:
        self._data, self._kind = data, kind
        # A list has thousands of rows, and to ask whether each is a Mapping takes longer than to read it.
        is_object = type(data) is dict or isinstance(data, Mapping)
        self._fields: Mapping[str, Any] = cast("Mapping[str, Any]", data) if is_object else {}

    def required_integer(self, name: str) -> int:
        """Return a whole number, such as an id or a status code."""
        return self._required(name, self.integer(name))

    def integer(self, name: str) -> int | None:
        """Return a whole number from 0 to 2**63 - 1, such as an id."""
        value = self._typed(name, int, "a whole number")
        if value is not None and (isinstance(value, bool) or not 0 <= value < _MAX_INTEGER):
            raise self._error(f"whose {name!r} is not a whole number of at most 19 digits", value)
        return value

    def text(self, name: str) -> str | None:
        """Return a text."""
        return self._typed(name, str, "a text")

    def required_text(self, name: str) -> str:
        """Return a text."""
        return self._required(name, self.text(name))

    def boolean(self, name: str) -> bool | None:
        """Return true or false."""
        return self._typed(name, bool, "true or false")

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """Return an object."""
        return self._typed(name, dict, "an object")

    def required_mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object."""
        return self._required(name, self.mapping(name))

    def sequence(self, name: str) -> list[Any] | None:
        """Return a list."""
        return self._typed(name, list, "a list")

    def required_sequence(self, name: str) -> list[Any]:
        """Return a list."""
        return self._required(name, self.sequence(name))

    def time(self, name: str) -> datetime | None:
        """Return a time in ISO 8601 format with an offset, as dbt Cloud writes them."""
        text = self.text(name)
        if not text:
            return None
        time: datetime | None
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        # Outside of these years, Python may be unable to add to a time or to subtract from it.
        if time is None or time.tzinfo is None or not 1900 < time.year < 9000:
            raise self._error(f"whose {name!r} is not a time with an offset from UTC", text)
        return time

    def _typed(self, name: str, kind: type[_T], wanted: str) -> _T | None:
        value = self._fields.get(name)
        if value is not None and not isinstance(value, kind):
            raise self._error(f"whose {name!r} is not {wanted}", value)
        return value

    def _required(self, name: str, value: _T | None) -> _T:
        if value is None:
            raise self._error(f"without {name!r}", self._data)
        return value

    def _error(self, fault: str, sent: object) -> MalformedResponse:
        return MalformedResponse.unexpected(f"dbt Cloud sent {self._kind} {fault}", sent)

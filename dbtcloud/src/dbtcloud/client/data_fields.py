"""Typed fields of the API's objects that are read from their `data` when somebody asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import FrozenInstanceError
from datetime import datetime
from typing import Any, Generic, NoReturn, Protocol, Self, TypeVar, get_origin, overload

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.typed_json import TypedFields

T = TypeVar("T")


class HasData(Protocol):
    """An object that keeps what dbt Cloud sent."""

    @property
    def data(self) -> Mapping[str, Any]:
        """The whole object, as dbt Cloud sent it."""


class DataField(Generic[T]):
    """A field of an object's `data`, with its type.

    It is None if it is missing or has another type than documented: no decision depends on it, so it must not
    make the rest of an answer unreadable.

    Args:
        kind: `int`, `str`, `bool`, `datetime`, or a type such as `list[str]`, of which only the list counts.
        path: The names that lead to it, such as "settings.threads"; by default the attribute's own.
    """

    def __init__(self, kind: type[T], path: str = "") -> None:
        self._kind: type[Any] = get_origin(kind) or kind
        self._path = path

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._path = self._path or name

    @overload
    def __get__(self, at: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, at: HasData, owner: type[Any] | None = None) -> T | None: ...
    def __get__(self, at: HasData | None, owner: type[Any] | None = None) -> Self | T | None:
        return self if at is None else self._read(at.data)

    def __set__(self, at: HasData, value: object) -> NoReturn:
        raise FrozenInstanceError(f"{self._path!r} of dbt Cloud's objects cannot be changed")

    def _read(self, data: object) -> T | None:
        *outer, name = self._path.split(".")
        for part in outer:
            data = data.get(part) if isinstance(data, Mapping) else None
        value = data.get(name) if isinstance(data, Mapping) else None
        if self._kind is datetime:
            with suppress(MalformedResponse):
                return TypedFields({name: value}, "an object").time(name)  # type: ignore[return-value]
            return None
        if self._kind is float and isinstance(value, int):  # JSON writes 2 for 2.0
            value = value if isinstance(value, bool) else float(value)
        # A boolean is an int for Python, and no number for dbt Cloud.
        fits = isinstance(value, self._kind) and (self._kind is bool or not isinstance(value, bool))
        return value if fits else None

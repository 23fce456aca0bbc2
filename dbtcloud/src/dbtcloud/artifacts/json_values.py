"""Reads single values of artifacts. A value of an unexpected type counts as missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


class Fields:
    """The fields of a JSON object.

    Args:
        value: The object. Anything else counts as an object without fields.
    """

    __slots__ = ("raw",)

    def __init__(self, value: object) -> None:
        self.raw: Json = value if isinstance(value, Mapping) else {}

    def get(self, name: str) -> Any:
        """Return a field as it is, or None."""
        return self.raw.get(name)

    def text(self, name: str) -> str:
        """Return a text, or a number as text, and "" for anything else."""
        return _text(self.get(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, or a single text as a list of one, without empty texts."""
        value = self.get(name)
        each = value if isinstance(value, list) else [value]
        return tuple(filter(None, map(_text, each)))

    def mapping(self, name: str) -> Fields:
        """Return a JSON object, and an empty one for anything else."""
        return Fields(self.get(name))

    def mappings(self, name: str) -> dict[str, Fields]:
        """Return those values of a JSON object that are objects themselves."""
        values = self.mapping(name).raw.items()
        return {key: Fields(each) for key, each in values if isinstance(each, Mapping)}

    def integer(self, name: str) -> int | None:
        """Return an integer, and None for anything else."""
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        """Return a finite number, also one written as text, and None for anything else."""
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            found = float(value)
        except (OverflowError, ValueError):
            return None
        return found if math.isfinite(found) else None

    def time(self, name: str) -> datetime | None:
        """Return a time in ISO 8601 format, and None for anything else."""
        value = self.get(name)
        try:
            return datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""

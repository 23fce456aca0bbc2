"""Reads single fields of artifacts, of whatever type they turn out to be: what is odd counts as absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


def as_text(value: object) -> str:
    """A text, or a number as text; else ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_texts(value: object) -> tuple[str, ...]:
    """The texts of a list, or of the one that stands for itself, without empty ones."""
    each = value if isinstance(value, list) else [value]
    return tuple(filter(None, map(as_text, each)))


def as_mapping(value: object) -> Json:
    """An object; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: object) -> dict[str, Json]:
    """The objects in an object, by their names."""
    return {name: each for name, each in as_mapping(value).items() if isinstance(each, Mapping)}


def as_integer(value: object) -> int | None:
    """An integer; else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_number(value: object) -> float | None:
    """A finite number, also one written as text; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def as_time(value: object) -> datetime | None:
    """A time as ISO 8601 spells it; else None."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

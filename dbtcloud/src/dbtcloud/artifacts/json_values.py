"""Converts single values of artifacts. A value of an unexpected type counts as missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


def as_text(value: object) -> str:
    """Return a text, or a number as text, and "" for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, or a single text as a list of one, without empty texts."""
    each = value if isinstance(value, list) else [value]
    return tuple(filter(None, map(as_text, each)))


def as_mapping(value: object) -> Json:
    """Return a JSON object, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: object) -> dict[str, Json]:
    """Return those values of a JSON object that are objects themselves."""
    return {name: each for name, each in as_mapping(value).items() if isinstance(each, Mapping)}


def as_integer(value: object) -> int | None:
    """Return an integer, and None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_number(value: object) -> float | None:
    """Return a finite number, also one written as text, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def as_time(value: object) -> datetime | None:
    """Return a time in ISO 8601 format, and None for anything else."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

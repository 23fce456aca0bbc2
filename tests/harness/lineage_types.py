"""Whether an event is of the types that OpenLineage's classes, generated from its schema, declare."""

import sys
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

NOT_FIELDS = {"_producer", "_schemaURL", "_deleted"}
"""What every facet has beside its own fields."""


def faults(value: Any, hint: Any, facets: Mapping[str, type], place: str = "event") -> list[str]:
    """What in a value is not of the type, by its place; facets are of the class of their `_schemaURL`."""
    if get_origin(hint) in (Union, UnionType):
        found = [faults(value, each, facets, place) for each in get_args(hint)]
        return [] if [] in found else max(found, key=len)
    if get_origin(hint) is list and isinstance(value, list):
        (kind,) = get_args(hint)
        return [one for n, each in enumerate(value) for one in faults(each, kind, facets, f"{place}[{n}]")]
    if get_origin(hint) is dict and isinstance(value, dict):
        kind = get_args(hint)[1]
        return [one for name in value for one in faults(value[name], kind, facets, f"{place}.{name}")]
    if isinstance(hint, type) and attrs.has(hint) and isinstance(value, dict):
        return _faults_of_object(value, facets.get(value.get("_schemaURL", ""), hint), facets, place)
    return [] if _is_plain(value, hint) else [f"{place} is {value!r}, not {hint}"]


def _faults_of_object(value: dict[str, Any], kind: type, facets: Mapping[str, type], place: str) -> list[str]:
    hints, fields = _hints(kind), attrs.fields_dict(kind)
    lacking = [
        f"{place} lacks {name}"
        for name, field in fields.items()
        if name not in value and name not in NOT_FIELDS and field.init and field.default is attrs.NOTHING
    ]
    unknown = [f"{place} has {name}" for name in value if name not in fields and name not in NOT_FIELDS]
    known = [name for name in value if name in fields and name not in NOT_FIELDS]
    return (
        lacking
        + unknown
        + [one for name in known for one in faults(value[name], hints[name], facets, f"{place}.{name}")]
    )


def _is_plain(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in {each.value for each in hint}
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(hint, type) and isinstance(value, NoneType if hint is None else hint)


_NAMES = {name: getattr(typing, name) for name in ("Any", "ClassVar", "Optional")}
"""What the classes' modules import for type checkers only."""


@cache
def _hints(kind: type) -> dict[str, Any]:
    return {
        name: hint
        for each in reversed(kind.__mro__)
        if each is not object
        for name, hint in get_type_hints(each, _NAMES | vars(sys.modules[each.__module__])).items()
    }

"""Values that came as JSON, checked against the fields of the dataclass that they are for."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "an object"}


def check_types(kind: type, values: Mapping[str, Any], what: str) -> None:
    """Refuse values that the fields of their names cannot hold.

    Args:
        kind: the dataclass.
        values: by the names of its fields; lists stand for tuples.
        what: what they describe, such as "a fault".

    Raises:
        ValueError: names the field, what it holds and what it takes.
    """
    hints = get_type_hints(kind)
    for name, value in values.items():
        kinds = _kinds(hints[name])
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            taken = next(_WORDS.get(each, "a list") for each in kinds if each is not type(None))
            raise ValueError(f"{name} of {what} is {value!r}. It has to be {taken}.")


def _kinds(hint: Any) -> tuple[type, ...]:
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [get_origin(part) or part for part in parts]
    more = {float: int, tuple: list}
    return (*kinds, *(more[kind] for kind in kinds if kind in more))

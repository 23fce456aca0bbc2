"""Type check of JSON values against the fields of a dataclass."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "an object"}


def check_types(kind: type, values: Mapping[str, Any], what: str) -> None:
    """Check that each value has the type of the dataclass field with its name.

    Args:
        kind: the dataclass.
        values: by the names of its fields; a list is accepted for a tuple.
        what: what the values describe, for the message, such as "a fault".

    Raises:
        ValueError: A value has another type. The message names the field, its value and its type.
    """
    hints = get_type_hints(kind)
    for name, value in values.items():
        kinds = _kinds(hints[name])
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            expected = next(_WORDS.get(each, "a list") for each in kinds if each is not type(None))
            raise ValueError(f"{name} of {what} is {value!r}. It has to be {expected}.")


def _kinds(hint: Any) -> tuple[type, ...]:
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [get_origin(part) or part for part in parts]
    # JSON has arrays in place of tuples, and may have a whole number for any number.
    also = {float: int, tuple: list}
    return (*kinds, *(also[kind] for kind in kinds if kind in also))

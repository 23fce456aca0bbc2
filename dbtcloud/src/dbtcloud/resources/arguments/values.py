"""Check the arguments of methods before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Id, identifier
from dbtcloud.client.shown_text import shown_value

_WANTED = {
    str: "a text that is not empty",
    int: "a whole number",
    bool: "True or False",
    list: 'a list of texts such as ["dbt build"], which is not empty',
    Mapping: "a dict",
}


def checked_fields(known: type[Any], given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the fields of a request's body that are given, without those that are None.

    Args:
        known: A TypedDict, which has the name and the type of each field.
        given: The fields.
        what: What a field is called in messages, such as "an override of a run".

    Raises:
        InvalidArgument: If a field is unknown, or its value has another type.
    """
    kinds = get_type_hints(known)
    for name in given:
        if name not in kinds:
            raise unknown_name(name, kinds, what)
    return {name: _checked(name, value, kinds[name]) for name, value in given.items() if value is not None}


def checked_text(name: str, value: object) -> str:
    """Return a text that is not blank.

    Raises:
        InvalidArgument: If it is something else.
    """
    if isinstance(value, str) and value.strip():
        return value
    raise _unfit(name, value, str, fix="Correct it")


def optional_id(value: Id | None, what: str) -> str | None:
    """Return an id as text, or None if there is none.

    Args:
        value: The id.
        what: Its name in a message, such as "project id".

    Raises:
        InvalidArgument: If it is not a number.
    """
    return None if value is None else identifier(value, what)


def unknown_name(name: str, known: Iterable[str], what: str) -> InvalidArgument:
    """Return the error for a name that is none of the known ones.

    Args:
        name: The name.
        known: The known ones.
        what: What a known one is called, such as "an override of a run".
    """
    from difflib import get_close_matches  # only for an error

    names = sorted(known)
    similar = get_close_matches(name, names, 1, cutoff=0.4)
    return InvalidArgument(
        f"{shown_value(name)} is not {what}",
        why=f"Known are {', '.join(names)}",
        fix=f"Did you mean {similar[0]}?" if similar else "Correct the name",
    )


def _checked(name: str, value: Any, hint: Any) -> Any:
    kind = next(each for each in (*get_args(hint), hint) if each is not type(None))
    kind = get_origin(kind) or kind
    if kind is list and isinstance(value, list | tuple):
        value = list(value)
    if not _fits(value, kind):
        raise _unfit(name, value, kind)
    return value


def _fits(value: object, kind: type[Any]) -> bool:
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    if kind is list:
        return isinstance(value, list) and bool(value) and all(_fits(each, str) for each in value)
    # A boolean is an int for Python, and no number for dbt Cloud.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _unfit(
    name: str, value: object, kind: type[Any], fix: str = "Correct it, or leave it out"
) -> InvalidArgument:
    return InvalidArgument(f"{name} is {shown_value(value)}", why=f"It has to be {_WANTED[kind]}", fix=fix)

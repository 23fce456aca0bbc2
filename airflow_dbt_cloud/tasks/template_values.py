"""Reads operator arguments after rendering, when a template has turned everything into text."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

NOT_GIVEN = (None, "", "None")
"""What counts as not given: a template that yields nothing renders to one of the texts."""


def given(value: T) -> T | None:
    """The value as it is, or None where it counts as not given."""
    return None if value in NOT_GIVEN else value


def text(name: str, value: object) -> str | None:  # noqa: ARG001 -- called as its siblings are
    """A text, or None."""
    return None if value in NOT_GIVEN else str(value)


def integer(name: str, value: object) -> int | None:
    """A whole number, or None.

    Raises:
        ValueError: If it is something else.
    """
    if value in NOT_GIVEN:
        return None
    try:
        if not isinstance(value, bool | float):
            return int(str(value).strip())
    except ValueError:
        pass
    raise _unusable(name, value, "a whole number such as 4")


def switch(name: str, value: object) -> bool | None:
    """True or False, also from their names in any case, or None.

    Raises:
        ValueError: If it is something else.
    """
    if value in NOT_GIVEN:
        return None
    known = {"true": True, "false": False}
    word = str(value).strip().lower()
    if word not in known:
        raise _unusable(name, value, "true or false")
    return known[word]


def seconds(name: str, value: object) -> float:
    """Seconds, from a number, its text or a timedelta.

    Raises:
        ValueError: If it is something else, or below zero.
    """
    try:
        read = value.total_seconds() if isinstance(value, timedelta) else float(str(value))
    except ValueError:
        read = -1
    if not read >= 0 or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}. It has to be a number of seconds or a timedelta.")
    return read


def commands(name: str, value: object) -> list[str] | None:
    """A list of dbt commands, also from the text of one or of a list; None where there is no command.

    Raises:
        ValueError: If it is something else.
    """
    return texts(name, value, 'a list of commands such as ["dbt build"], or empty to leave it to the job')


def texts(name: str, value: object, wanted: str) -> list[str] | None:
    """A list of texts, also from one text or from the text of a list; None where there is none.

    Raises:
        ValueError: If it is something else; the message says what is wanted.
    """
    if value in NOT_GIVEN:
        return None
    parsed = _parsed(value)
    if isinstance(parsed, str):
        return [parsed]
    if isinstance(parsed, list | tuple) and all(isinstance(text, str) for text in parsed):
        return list(parsed) or None
    raise ValueError(f"{name} is {value!r}. It has to be {wanted}.")


def mapping(name: str, value: object) -> dict[str, Any]:
    """A dict, also from its text; empty when nothing is given.

    Raises:
        ValueError: If it is something else.
    """
    parsed = {} if value in NOT_GIVEN else _parsed(value)
    if not isinstance(parsed, Mapping):
        raise _unusable(name, value, 'a dict such as {"threads_override": 4}')
    return dict(parsed)


OVERRIDES: dict[str, Callable[[str, object], Any]] = {
    "git_branch": text,
    "git_sha": text,
    "schema_override": text,
    "target_name_override": text,
    "threads_override": integer,
    "dbt_version_override": text,
    "generate_docs_override": switch,
    "timeout_seconds_override": integer,
    "steps_override": commands,
}
"""What the API can override for one run ("Trigger Job Run"), and how each is read."""


def overrides(source: object) -> dict[str, Any]:
    """The overrides that are given as attributes of `source`, parsed.

    Raises:
        ValueError: Naming the one that cannot be used.
    """
    read = {name: parse(name, getattr(source, name)) for name, parse in OVERRIDES.items()}
    return {name: value for name, value in read.items() if value is not None}


def run_config(value: object) -> dict[str, Any]:
    """Further fields of the request; the overrides among them are read as the arguments of that name are.

    None is kept, since it says that the job's own value is wanted; what a template left empty is left out.

    Raises:
        ValueError: Naming what cannot be used.
    """
    config = mapping("additional_run_config", value)
    read = {name: OVERRIDES[name](name, config[name]) for name in OVERRIDES if config.get(name) is not None}
    return {name: read.get(name, given) for name, given in config.items() if read.get(name, "") is not None}


def _parsed(value: object) -> Any:
    """A structure from its JSON or Python text; other values as they are."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{", "("):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _unusable(name: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"{name} is {value!r}. It has to be {wanted}, or empty to leave it to the job.")

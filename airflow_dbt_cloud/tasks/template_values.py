"""Parse operator arguments after rendering, when a template has turned everything into text.

Each function raises ValueError for a value that cannot be used; the message names the argument.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_NOT_GIVEN = (None, "", "None")
"""Values that count as not given: a template that yields nothing renders to one of the texts."""


def or_none(value: T) -> T | None:
    """Return the value as it is, or None where it counts as not given."""
    return None if value in _NOT_GIVEN else value


def parse_text(name: str, value: object) -> str | None:  # noqa: ARG001 -- called as its siblings are
    """Return a text, or None."""
    return None if value in _NOT_GIVEN else str(value)


def parse_integer(name: str, value: object) -> int | None:
    """Return a whole number, or None.

    Raises:
        ValueError: If it is something else.
    """
    if value in _NOT_GIVEN:
        return None
    try:
        if not isinstance(value, bool | float):
            return int(str(value).strip())
    except ValueError:
        pass
    raise _unusable(name, value, "a whole number such as 4")


def _parse_boolean(name: str, value: object) -> bool | None:
    """Return True or False, also from their names in any case, or None.

    Raises:
        ValueError: If it is something else.
    """
    if value in _NOT_GIVEN:
        return None
    known = {"true": True, "false": False}
    word = str(value).strip().lower()
    if word not in known:
        raise _unusable(name, value, "true or false")
    return known[word]


def parse_seconds(name: str, value: object) -> float:
    """Return seconds, from a number, its text or a timedelta.

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


def _parse_commands(name: str, value: object) -> list[str] | None:
    """Return a list of dbt commands, also from the text of one or of a list, or None.

    Raises:
        ValueError: If it is something else.
    """
    return parse_texts(
        name, value, 'a list of commands such as ["dbt build"], or empty to leave it to the job'
    )


def parse_texts(name: str, value: object, wanted: str) -> list[str] | None:
    """Return a list of texts, also from one text or from the text of a list, or None.

    Raises:
        ValueError: If it is something else; the message says what is wanted.
    """
    if value in _NOT_GIVEN:
        return None
    parsed = _parsed(value)
    if isinstance(parsed, str):
        return [parsed]
    if isinstance(parsed, list | tuple) and all(isinstance(text, str) for text in parsed):
        return list(parsed) or None
    raise ValueError(f"{name} is {value!r}. It has to be {wanted}.")


OVERRIDES: dict[str, Callable[[str, object], Any]] = {
    "git_branch": parse_text,
    "git_sha": parse_text,
    "schema_override": parse_text,
    "target_name_override": parse_text,
    "threads_override": parse_integer,
    "dbt_version_override": parse_text,
    "generate_docs_override": _parse_boolean,
    "timeout_seconds_override": parse_integer,
    "steps_override": _parse_commands,
}
"""The run operator's arguments that override a setting of the job for one run (API v2, "Trigger Job Run"),
and how to parse each. The API's other fields go into `additional_run_config`."""


def parse_overrides(task: Any) -> dict[str, Any]:
    """Return the overrides that a task has as arguments or in `additional_run_config`, which counts more.

    Raises:
        ValueError: Naming the one that cannot be used.
    """
    given = {name: getattr(task, name) for name in OVERRIDES}
    parsed = {name: OVERRIDES[name](name, value) for name, value in given.items() if value not in _NOT_GIVEN}
    own = {name: value for name, value in parsed.items() if value is not None}
    return {**own, **_parse_run_config(task.additional_run_config)}


def _parse_run_config(value: object) -> dict[str, Any]:
    """Return further fields of the request, from a dict or its text.

    Overrides among them are parsed as the arguments of that name. None stays, since it asks for the job's own
    value. A value that a template left empty is left out.
    """
    config = value if isinstance(value, Mapping) else {} if value in _NOT_GIVEN else _parsed(value)
    if not isinstance(config, Mapping):
        raise _unusable("additional_run_config", value, 'a dict such as {"threads_override": 4}')
    read = {name: OVERRIDES[name](name, config[name]) for name in OVERRIDES if config.get(name) is not None}
    return {name: read.get(name, given) for name, given in config.items() if read.get(name, "") is not None}


def _parsed(value: object) -> Any:
    """Return a structure from its JSON or Python text, and other values as they are."""
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

"""Parse operator arguments after rendering, when a template has turned everything into text.

Each parser raises ValueError for a value that cannot be used; the message names the argument.
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


class TemplateValue:
    """An argument after rendering.

    Args:
        name: The argument's name, for messages.
        value: Its value.
    """

    __slots__ = ("_name", "_value")

    def __init__(self, name: str, value: object) -> None:
        self._name, self._value = name, value

    def text(self) -> str | None:
        """Return a text, or None.

        Native rendering (Airflow's `render_template_as_native_obj`) reads a text as Python: "1.10" becomes
        1.1, and "2026_11_27" becomes 20261127. What the user wrote is lost then.

        Raises:
            ValueError: If it is something else.
        """
        return self._text(None if isinstance(self._value, int) else self._value)

    def text_without_underscores(self) -> str | None:
        """Return a text of a kind that never has an underscore, or None.

        A positive whole number is such a text, because only one text becomes that number.

        Raises:
            ValueError: If it is something else.
        """
        value = self._value
        return self._text(str(value) if type(value) is int and value > 0 else value)

    def location(self) -> Any:
        """Return a path or the id of a connection: a text or a path object, or None.

        Raises:
            ValueError: If it is a number or a boolean.
        """
        return self.text() if isinstance(self._value, bool | int | float) else or_none(self._value)

    def _text(self, value: object) -> str | None:
        if self._value in _NOT_GIVEN:
            return None
        if isinstance(value, str):
            return value
        raise ValueError(
            f"{self._name} is {self._value!r}, which is no text. With native rendering, Airflow turns a text "
            "such as 1.10 or 2026_11_27 into a number. Put quotes into it: \"'1.10'\", or "
            '"{{ version | tojson }}".'
        )

    def integer(self) -> int | None:
        """Return a whole number, or None.

        Raises:
            ValueError: If it is something else.
        """
        if self._value in _NOT_GIVEN:
            return None
        try:
            if not isinstance(self._value, bool | float):
                return int(str(self._value).strip())
        except ValueError:
            pass
        raise _unusable(self._name, self._value, "a whole number such as 4")

    def integers(self) -> list[int] | None:
        """Return a list of whole numbers, also from one or from the text of a list, or None.

        Raises:
            ValueError: If it is something else.
        """
        parsed = _parsed(self._value)
        several = parsed if isinstance(parsed, list | tuple) else [parsed]
        numbers = [TemplateValue(self._name, each).integer() for each in several]
        return [number for number in numbers if number is not None] or None

    def boolean(self) -> bool | None:
        """Return True or False, also from their names in any case, or None.

        Raises:
            ValueError: If it is something else.
        """
        if self._value in _NOT_GIVEN:
            return None
        known = {"true": True, "false": False}
        word = str(self._value).strip().lower()
        if word not in known:
            raise _unusable(self._name, self._value, "true or false")
        return known[word]

    def seconds(self) -> float:
        """Return seconds, from a number, its text or a timedelta.

        Raises:
            ValueError: If it is something else, or below zero.
        """
        value = self._value
        try:
            read = value.total_seconds() if isinstance(value, timedelta) else float(str(value))
        except ValueError:
            read = -1
        if not read >= 0 or isinstance(value, bool):
            raise ValueError(f"{self._name} is {value!r}. It has to be a number of seconds or a timedelta.")
        return read

    def commands(self) -> list[str] | None:
        """Return a list of dbt commands, also from the text of one or of a list, or None.

        Raises:
            ValueError: If it is something else.
        """
        return self.texts('a list of commands such as ["dbt build"], or empty to leave it to the job')

    def texts(self, wanted: str) -> list[str] | None:
        """Return a list of texts, also from one text or from the text of a list, or None.

        Items that a template left empty are dropped. A list without items counts as not given.

        Raises:
            ValueError: If it is something else; the message says what is wanted.
        """
        parsed = _parsed(self._value)
        several = parsed if isinstance(parsed, list | tuple) else [parsed]
        given = [text for text in several if not _is_blank(text)]
        if all(isinstance(text, str) for text in given):
            return given or None
        raise ValueError(f"{self._name} is {self._value!r}. It has to be {wanted}.")


OVERRIDES: dict[str, Callable[[TemplateValue], Any]] = {
    "git_branch": TemplateValue.text,
    "git_sha": TemplateValue.text_without_underscores,
    "schema_override": TemplateValue.text,
    "target_name_override": TemplateValue.text,
    "threads_override": TemplateValue.integer,
    "dbt_version_override": TemplateValue.text_without_underscores,
    "generate_docs_override": TemplateValue.boolean,
    "timeout_seconds_override": TemplateValue.integer,
    "steps_override": TemplateValue.commands,
}
"""The run operator's arguments that override a setting of the job for one run (API v2, "Trigger Job Run"),
and how to parse each. The API's other fields go into `additional_run_config`."""


def parse_overrides(task: Any) -> dict[str, Any]:
    """Return the overrides that a task has as arguments or in `additional_run_config`, which counts more.

    Raises:
        ValueError: Naming the one that cannot be used.
    """
    given = {name: getattr(task, name) for name in OVERRIDES}
    parsed = {name: _parse_override(name, value) for name, value in given.items() if value not in _NOT_GIVEN}
    own = {name: value for name, value in parsed.items() if value is not None}
    return {**own, **_parse_run_config(task.additional_run_config)}


def _parse_override(name: str, value: object) -> Any:
    return OVERRIDES[name](TemplateValue(name, value))


def _parse_run_config(value: object) -> dict[str, Any]:
    """Return further fields of the request, from a dict or its text.

    Overrides among them are parsed as the arguments of that name. None stays, since it asks for the job's own
    value. A value that a template left empty is left out.
    """
    config = value if isinstance(value, Mapping) else {} if value in _NOT_GIVEN else _parsed(value)
    if not isinstance(config, Mapping):
        raise _unusable("additional_run_config", value, 'a dict such as {"threads_override": 4}')
    parsers = {**OVERRIDES, "cause": TemplateValue.text}
    read = {
        name: parse(TemplateValue(name, config[name]))
        for name, parse in parsers.items()
        if config.get(name) is not None
    }
    return {name: read.get(name, given) for name, given in config.items() if read.get(name, "") is not None}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in _NOT_GIVEN)


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

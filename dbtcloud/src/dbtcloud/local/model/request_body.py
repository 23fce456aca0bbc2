"""Schemas of request bodies: checks of their fields with the messages of dbt Cloud's JSON Schema."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import ACTIVE, DELETED

BodySchema = Mapping[str, str]
"""The types by field name: string, integer, boolean, array, `array of string`, `array of integer`, object."""

_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
# SQLite stores integers of 64 bits.
_INTEGER_LIMIT = 2**63
_MAX_DIGITS = len(str(_INTEGER_LIMIT))
_BOOLEANS = {"true": True, "false": False}


class RequestBody:
    """The checks of a request body, which raise a 400 in dbt Cloud's words."""

    @staticmethod
    def check(body: Mapping[str, Any], schema: BodySchema, required: Collection[str] = ()) -> None:
        """Check the fields that are given and not null.

        Raises:
            ApiException: 400, which names each field of a wrong type and each required field that is missing.
        """
        wrong = {
            name: f"{body[name]!r} is not of type {kind.partition(' ')[0]!r}"
            for name, kind in schema.items()
            if body.get(name) is not None and not _has_type(body[name], kind)
        }
        wrong |= {name: f"{name!r} is a required property" for name in required if body.get(name) is None}
        if wrong:
            raise ApiException.bad_request(wrong)

    @staticmethod
    def check_minimum(body: Mapping[str, Any], minimums: Mapping[str, int]) -> None:
        """Check that numbers are not too small.

        Raises:
            ApiException: 400, which names those that are.
        """
        if wrong := {
            name: f"{body[name]} is less than the minimum of {minimum}"
            for name, minimum in minimums.items()
            if body.get(name) is not None and body[name] < minimum
        }:
            raise ApiException.bad_request(wrong)

    @staticmethod
    def check_state(body: Mapping[str, Any]) -> None:
        """Check that `state` is active or deleted.

        Raises:
            ApiException: 400: it is neither.
        """
        if body.get("state") not in {None, ACTIVE, DELETED}:
            raise ApiException.bad_request(
                {"state": f"{body['state']!r} is not one of {[ACTIVE, DELETED]!r}"}
            )

    @staticmethod
    def as_object(body: Any) -> dict[str, Any]:
        """Return the body, which must be an object.

        Raises:
            ApiException: 400: it is something else.
        """
        if not isinstance(body, dict):
            raise ApiException.bad_request(f"{body!r} is not of type 'object'")
        return body

    @staticmethod
    def from_form(schema: BodySchema, form: Mapping[str, list[str]]) -> dict[str, Any]:
        """Return a body from the texts of a form, converted to the types of the schema."""
        # What cannot be converted stays text, so that `check` refuses it.
        return {name: _convert(schema.get(name, "string"), texts) for name, texts in form.items()}


def _has_type(value: Any, kind: str) -> bool:
    outer, _, inner = kind.partition(" of ")
    matches = isinstance(value, _TYPES[outer]) and (outer == "boolean" or not isinstance(value, bool))
    matches = matches and (outer != "integer" or abs(value) < _INTEGER_LIMIT)
    return matches and (not inner or all(_has_type(each, inner) for each in value))


def _convert(kind: str, texts: list[str]) -> Any:
    outer, _, inner = kind.partition(" of ")
    text = texts[-1]
    if outer == "array":
        items = _parse_json(text) if len(texts) == 1 and text.startswith("[") else texts
        return (
            [_convert(inner or "string", [str(each)]) for each in items] if isinstance(items, list) else items
        )
    if outer == "integer":
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else text
    if outer == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    return _parse_json(text) if outer == "object" else text


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

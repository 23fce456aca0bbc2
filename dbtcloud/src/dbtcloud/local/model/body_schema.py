"""The fields of request bodies: their types, checked in the words of dbt Cloud's JSON Schema."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from dbtcloud.local.model.api_errors import bad_request
from dbtcloud.local.model.records import ACTIVE, DELETED

BodySchema = Mapping[str, str]
"""Types by field name: string, integer, boolean, array, `array of string`, `array of integer`, object."""

_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_BEYOND = 2**63
_DIGITS = len(str(_BEYOND))
_TRUTHS = {"true": True, "false": False}


def check_body(body: Mapping[str, Any], fields: BodySchema, required: Collection[str] = ()) -> None:
    """Check what is given and not null.

    Raises:
        ApiException: 400, naming each field that is of another type, or required and not there.
    """
    wrong = {
        name: f"{body[name]!r} is not of type {kind.partition(' ')[0]!r}"
        for name, kind in fields.items()
        if body.get(name) is not None and not _fits(body[name], kind)
    }
    wrong |= {name: f"{name!r} is a required property" for name in required if body.get(name) is None}
    if wrong:
        raise bad_request(wrong)


def check_minimum(body: Mapping[str, Any], least: Mapping[str, int]) -> None:
    """Refuse numbers that are too small.

    Raises:
        ApiException: 400 that names them.
    """
    if wrong := {
        name: f"{body[name]} is less than the minimum of {number}"
        for name, number in least.items()
        if body.get(name) is not None and body[name] < number
    }:
        raise bad_request(wrong)


def check_state(body: Mapping[str, Any]) -> None:
    """Refuse a `state` that is neither active nor deleted.

    Raises:
        ApiException: 400 that names it.
    """
    if body.get("state") not in {None, ACTIVE, DELETED}:
        raise bad_request({"state": f"{body['state']!r} is not one of {[ACTIVE, DELETED]!r}"})


def check_object(body: Any) -> dict[str, Any]:
    """Return a body that is an object.

    Raises:
        ApiException: 400 for anything else.
    """
    if not isinstance(body, dict):
        raise bad_request(f"{body!r} is not of type 'object'")
    return body


def read_form(fields: BodySchema, form: Mapping[str, list[str]]) -> dict[str, Any]:
    """Read a form's texts as what the fields are; what cannot be read stays text, and is refused later."""
    return {name: _read(fields.get(name, "string"), texts) for name, texts in form.items()}


def _fits(value: Any, kind: str) -> bool:
    outer, _, inner = kind.partition(" of ")
    fits = isinstance(value, _TYPES[outer]) and (outer == "boolean" or not isinstance(value, bool))
    fits = fits and (outer != "integer" or abs(value) < _BEYOND)
    return fits and (not inner or all(_fits(each, inner) for each in value))


def _read(kind: str, texts: list[str]) -> Any:
    outer, _, inner = kind.partition(" of ")
    text = texts[-1]
    if outer == "array":
        whole = _json(text) if len(texts) == 1 and text.startswith("[") else texts
        return [_read(inner or "string", [str(each)]) for each in whole] if isinstance(whole, list) else whole
    if outer == "integer":
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else text
    if outer == "boolean":
        return _TRUTHS.get(text.lower(), text)
    return _json(text) if outer == "object" else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

"""Picks the parts of a JSON artifact that are wanted out of its stream, however large the rest is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import IO, Any, TypeAlias

from dbtcloud.artifacts.nan_infinity import python_number, standard_json
from dbtcloud.artifacts.schema import ArtifactSchema, InvalidArtifact

PIECE_BYTES = 64 * 1024
"""Bytes that are read at a time."""

Wanted: TypeAlias = Mapping[str, frozenset[str]]
"""The sections of an artifact that are wanted, and of each of their entries the fields."""

Events: TypeAlias = Iterator[tuple[str, Any]]
"""JSON as a row of events (ijson: "basic_parse")."""

_OPENING = frozenset({"start_map", "start_array"})
_DEPTH = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}

_DAMAGE = (json.JSONDecodeError, UnicodeError, ArithmeticError, RecursionError, SystemError)
"""What ijson's backends let through of a text that is damaged beside its own JSONError.

A number of more than 4,300 digits, which Python refuses as well, is a SystemError of the one written in C.
"""


def stream_entries(
    stream: IO[bytes], kind: str, wanted: Wanted, needed: str
) -> Iterator[tuple[str, str, Any]]:
    """The wanted parts of an artifact, one at a time: section, key (of a list ""), and the fields as a dict.

    Its `metadata` comes as an entry, too, as an `ArtifactSchema`. A manifest of 200 MB takes some five
    seconds of CPU and no more memory than its largest entry.

    Args:
        stream: The artifact.
        kind: What it should be, as `ArtifactSchema` names it.
        wanted: Sections and fields; all else is passed over, so that fields of later schemas do no harm.
        needed: The section that it has in any case.

    Raises:
        InvalidArtifact: If it is no JSON, another artifact, or lacks what is needed.
    """
    import ijson

    found = False
    try:
        events = chain.from_iterable(_batches(stream))
        for section, event, value in _entries(events, next(events, ("", None))[0]):
            if section == "metadata":
                yield section, "", ArtifactSchema.parse(_built(events, event, value), kind)
            elif section in wanted:
                found = found or (section == needed and event in _OPENING)
                for key, picked in _picked(events, event, wanted[section]):
                    yield section, key, picked
            else:
                _pass(events, event)
    except (ijson.JSONError, *_DAMAGE) as error:
        raise InvalidArtifact(kind, f"It is no whole JSON text: {error.__cause__ or error}") from error
    if not found:
        raise InvalidArtifact(kind, f"It has no {needed!r}")


def _batches(stream: IO[bytes]) -> Iterator[Events]:
    """The events of one piece after the other; those of a piece with a fault never, for they may lack values.

    The parser is sent the pieces, since one that reads by itself goes on after some faults (ijson 3.6, C).
    Numbers come as it takes them by default: `use_float` refuses those over 64 bits.
    """
    import ijson

    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    try:
        for piece in standard_json(stream, PIECE_BYTES):
            parser.send(piece)
            yield iter(events)
            events.clear()
    except GeneratorExit:  # enough was taken; the parser in Python would print a fault
        with suppress(ijson.JSONError):
            parser.close()
        raise
    parser.close()  # raises where the text has not ended
    yield iter(events)


def _entries(events: Events, event: str) -> Iterator[tuple[str, str, Any]]:
    """The entries of an object or a list, each with its first event, which whoever takes it goes on from."""
    if event == "start_map":
        for ended, key in events:
            if ended == "end_map":
                return
            yield key, *next(events)
    elif event == "start_array":
        for first, start in events:
            if first == "end_array":
                return
            yield "", first, start


def _picked(events: Events, event: str, fields: frozenset[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each entry of a section that is an object, with its wanted fields."""
    for key, first, _ in _entries(events, event):
        if first != "start_map":
            _pass(events, first)
            continue
        picked: dict[str, Any] = {}
        for field, event_of, value_of in _entries(events, first):
            if field in fields:
                picked[field] = _built(events, event_of, value_of)
            else:
                _pass(events, event_of)
        yield key, picked


def _built(events: Events, event: str, value: Any) -> Any:
    """The value that begins with this event."""
    if event == "start_map":
        return {key: _built(events, first, start) for key, first, start in _entries(events, event)}
    if event == "start_array":
        return [_built(events, first, start) for _, first, start in _entries(events, event)]
    return python_number(value)


def _pass(events: Events, event: str) -> None:
    """Go beyond the value that begins with this event; most of a manifest goes by here."""
    if event not in _OPENING:
        return
    depth = 1
    for each, _ in events:
        if each in _DEPTH:
            depth += _DEPTH[each]
            if not depth:
                return

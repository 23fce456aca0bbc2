"""Reads the wanted entries of a JSON artifact from a stream, in little memory however large the rest is."""

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

_Wanted: TypeAlias = Mapping[str, frozenset[str]]  # fields of the entries, by section

StreamedEntry: TypeAlias = tuple[str, str, Any]
"""The section of an entry, its key ("" in a list), and its fields; for `metadata` an `ArtifactSchema`."""

_Events: TypeAlias = Iterator[tuple[str, Any]]  # of ijson's "basic_parse"

_OPENING = frozenset({"start_map", "start_array"})
_DEPTH = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}

# Errors that ijson's backends raise for damaged JSON, besides its own JSONError. The C backend raises
# SystemError for a number of more than 4,300 digits, which Python refuses as well.
_DAMAGE = (json.JSONDecodeError, UnicodeError, ArithmeticError, RecursionError, SystemError)


def stream_entries(stream: IO[bytes], kind: str, wanted: _Wanted, needed: str) -> Iterator[StreamedEntry]:
    """Yield the wanted entries of an artifact one at a time.

    A manifest of 200 MB takes some five seconds of CPU and no more memory than its largest entry.

    Args:
        stream: The artifact.
        kind: The expected artifact, such as "manifest".
        wanted: Sections and fields. Everything else is skipped, including the fields of later schemas.
        needed: The section that the artifact must have.

    Raises:
        InvalidArtifact: If it is not JSON, is another artifact, or lacks the needed section.
    """
    import ijson

    found = False
    try:
        events = chain.from_iterable(_batches(stream))
        for section, event, value in _entries(events, next(events, ("", None))[0]):
            if section == "metadata":
                yield section, "", ArtifactSchema.parse(_build(events, event, value), kind)
            elif section in wanted:
                found = found or (section == needed and event in _OPENING)
                for key, picked in _pick(events, event, wanted[section]):
                    yield section, key, picked
            else:
                _skip(events, event)
    except (ijson.JSONError, *_DAMAGE) as error:
        raise InvalidArtifact(kind, f"It is not complete JSON: {error.__cause__ or error}") from error
    if not found:
        raise InvalidArtifact(kind, f"It has no {needed!r}")


def _batches(stream: IO[bytes]) -> Iterator[_Events]:
    """Yield the events of one piece of the stream after the other.

    A piece with an error yields no events, since some of them may lack their values.
    """
    import ijson

    # The pieces are sent to a coroutine: ijson's reading parser continues after some errors (3.6, C backend).
    # Numbers are Decimal, which is the default: `use_float` refuses numbers over 64 bits.
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    try:
        for piece in standard_json(stream, PIECE_BYTES):
            parser.send(piece)
            yield iter(events)
            events.clear()
    except (
        GeneratorExit
    ):  # the reader has stopped early: close the parser, or its Python backend prints an error
        with suppress(ijson.JSONError):
            parser.close()
        raise
    parser.close()  # raises where the text has not ended
    yield iter(events)


def _entries(events: _Events, event: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the key and the first event of each entry of an object or a list.

    The caller must consume the entry's other events before it takes the next entry.
    """
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


def _pick(events: _Events, event: str, fields: frozenset[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each entry of a section that is an object, with its wanted fields."""
    for key, first, _ in _entries(events, event):
        if first != "start_map":
            _skip(events, first)
            continue
        picked: dict[str, Any] = {}
        for field, event_of, value_of in _entries(events, first):
            if field in fields:
                picked[field] = _build(events, event_of, value_of)
            else:
                _skip(events, event_of)
        yield key, picked


def _build(events: _Events, event: str, value: Any) -> Any:
    """Build the value that begins with this event."""
    if event == "start_map":
        return {key: _build(events, first, start) for key, first, start in _entries(events, event)}
    if event == "start_array":
        return [_build(events, first, start) for _, first, start in _entries(events, event)]
    return python_number(value)


def _skip(events: _Events, event: str) -> None:
    """Skip the value that begins with this event."""
    if event not in _OPENING:
        return
    depth = 1
    for each, _ in events:
        if each in _DEPTH:
            depth += _DEPTH[each]
            if not depth:
                return

"""Reads the wanted entries of a JSON artifact from a stream, in little memory however large the rest is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from typing import IO, Any, TypeAlias

from dbtcloud.artifacts.json_values import Fields
from dbtcloud.artifacts.schema import ArtifactSchema, InvalidArtifact

PIECE_BYTES = 64 * 1024
"""Bytes that are read at a time, except within a long text."""

_Wanted: TypeAlias = Mapping[str, frozenset[str]]  # fields of the entries, by section

StreamedEntry: TypeAlias = tuple[str, str, Any]
"""The section of an entry, its key ("" in a list), and its `Fields`; for `metadata` an `ArtifactSchema`."""

_Events: TypeAlias = Iterator[tuple[str, Any]]  # of ijson's "basic_parse"

_OPENING = frozenset({"start_map", "start_array"})
_DEPTH = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}

# Errors that ijson's backends raise for damaged JSON, besides its own JSONError. The C backend raises
# SystemError for a number of more than 4,300 digits, which Python refuses as well.
_DAMAGE = (json.JSONDecodeError, UnicodeError, ArithmeticError, RecursionError, SystemError)

# dbt writes `NaN` and `Infinity` although they are not JSON. They are replaced by numbers that cannot be in
# the file already: Python writes such a float as `Infinity`, and an integer without an exponent.
_NAN, _INFINITY = b"NaN", b"Infinity"
_NUMBERS = {_NAN: b"1e987654321", _INFINITY: b"1e999"}

_NOT_A_NUMBER = Decimal(_NUMBERS[_NAN].decode())
_WORD = re.compile(b"(NaN|Infinity)")
_BEGINNINGS = sorted(
    {word[:n] for word in (_NAN, _INFINITY, b"-Infinity") for n in range(1, len(word) + 1)},
    key=len,
    reverse=True,
)


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
                    yield section, key, Fields(picked)
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
        for piece in _standard_json(stream, PIECE_BYTES):
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
    return _python_number(value)


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


def _standard_json(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the stream as standard JSON, in pieces that are not empty.

    Texts stay as they are, also if they contain the words.

    Args:
        stream: JSON as Python writes it. It is read forwards only.
        size: Bytes that are read at a time. Within a long text they double: parsers read an unfinished text
            from its beginning with each piece, which would take the square of its length.
    """
    kept, in_text, growing = b"", 0, size
    while piece := stream.read(growing):
        whole = kept + piece
        kept = _unfinished(whole)
        if given := whole.removesuffix(kept):
            began_in_text = in_text
            piece, in_text = _translated(given, in_text)
            yield piece
            is_within_text = began_in_text and in_text and not _quotes(given)
            growing = 2 * growing if is_within_text else size
    if kept:
        yield _translated(kept, in_text)[0]


def _python_number(value: Any) -> Any:
    """Return a number of the parser as Python's own parser would: an int unchanged, otherwise a float."""
    if isinstance(value, Decimal):
        return math.nan if value == _NOT_A_NUMBER else float(value)
    return value


def _translated(given: bytes, in_text: int) -> tuple[bytes, int]:
    """Replace the words in a piece, and return whether it ends within a text (1) or not (0).

    The piece must not cut a word. `in_text` says the same of its beginning.
    """
    pieces = _WORD.split(given) if _NAN in given or _INFINITY in given else [given]  # splitting is slow
    for n, piece in enumerate(pieces):
        if n % 2 == 0:
            in_text ^= _quotes(piece) % 2
        elif not in_text:
            pieces[n] = _number_for(piece, pieces[n - 1])
    return b"".join(pieces), in_text


def _number_for(word: bytes, before: bytes) -> bytes:
    """Return the number between spaces, so that `1NaN` and `-NaN` remain errors."""
    signed = word == _INFINITY and before.endswith(b"-")
    return (b"" if signed else b" ") + _NUMBERS[word] + b" "


def _unfinished(piece: bytes) -> bytes:
    """Return the end of a piece that belongs to the next one: half an escape, or the beginning of a word."""
    if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
        return b"\\"
    return next((word for word in _BEGINNINGS if piece.endswith(word)), b"")


def _quotes(piece: bytes) -> int:
    """Count the quotes that begin or end a text, in a piece that does not cut an escape."""
    piece = piece.replace(b"\\\\", b"")
    return piece.count(b'"') - piece.count(b'\\"')

"""Picks the parts of a JSON artifact that are wanted out of its stream, however large the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, TypeAlias

from airflow_dbt_cloud.artifacts.schema import NotThatArtifact, Schema

PIECE = 64 * 1024
"""Bytes that are read at a time."""

Wanted: TypeAlias = Mapping[str, frozenset[str]]
"""The sections of an artifact that are wanted, and of each of their entries the fields."""

Events: TypeAlias = Iterator[tuple[str, Any]]
"""JSON as a row of events (ijson: "basic_parse")."""

OPENING = frozenset({"start_map", "start_array"})
CLOSING = frozenset({"end_map", "end_array"})


def parts(stream: IO[bytes], kind: str, wanted: Wanted, needed: str) -> Iterator[tuple[str, str, Any]]:
    """The wanted parts of an artifact, one at a time: section, key (of a list ""), and the fields as a dict.

    Its `metadata` comes as a part, too, as a `Schema`. All of a manifest of 200 MB takes some five seconds of
    CPU and no more memory than its largest entry.

    Args:
        stream: The artifact.
        kind: What it should be, as `Schema` names it.
        wanted: Sections and fields; all else is passed over, so that fields of later schemas do no harm.
        needed: The section that it has in any case.

    Raises:
        NotThatArtifact: If it is no JSON, another artifact, or lacks what is needed.
    """
    import ijson

    found = False
    try:
        events = ijson.basic_parse(stream, use_float=True, buf_size=PIECE)
        for section, event, value in _entries(events, next(events, ("", None))[0]):
            if section == "metadata":
                yield section, "", Schema.parse(_built(events, event, value), kind)
            elif section in wanted:
                found = found or (section == needed and event in OPENING)
                for key, picked in _picked(events, event, wanted[section]):
                    yield section, key, picked
            else:
                _pass(events, event)
    except ijson.JSONError as error:
        raise NotThatArtifact(kind, f"It is no whole JSON text: {error}") from error
    if not found:
        raise NotThatArtifact(kind, f"It has no {needed!r}")


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
    return value


def _pass(events: Events, event: str) -> None:
    """Go beyond the value that begins with this event; most of a manifest goes by here."""
    depth = int(event in OPENING)
    while depth:
        event, _ = next(events)
        if event in OPENING:
            depth += 1
        elif event in CLOSING:
            depth -= 1

"""Reads `catalog.json`: the tables and columns that a database really has (schema v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Json, as_mapping, as_mappings, as_number, as_text

_FIELDS = frozenset({"unique_id", "metadata", "columns", "stats"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is the database's word."""

    name: str
    type: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view of a node or a source.

    Attributes:
        unique_id: Of the node or source.
        name: Its name in the database.
        database: Where it is.
        schema: Where it is.
        type: The database's word for what it is, such as "BASE TABLE".
        owner: The database user that it belongs to, or "".
        comment: What the database notes about it, or "".
        columns: In the database's order.
        stats: What the adapter counted, by dbt's name for it, such as {"num_rows": 220.0}.
    """

    unique_id: str
    name: str = ""
    database: str = ""
    schema: str = ""
    type: str = ""
    owner: str = ""
    comment: str = ""
    columns: tuple[Column, ...] = ()
    stats: Mapping[str, Any] = field(default_factory=dict)


def read_catalog(stream: IO[bytes]) -> dict[str, Table]:
    """The tables of a catalog by the unique ids of their nodes and sources.

    Raises:
        InvalidArtifact: If it is no catalog.
    """
    return {table.unique_id: table for table in stream_catalog(stream)}


def stream_catalog(stream: IO[bytes]) -> Iterator[Table]:
    """The tables of a catalog one at a time, nodes before sources.

    Raises:
        InvalidArtifact: If it is no catalog; for a damaged one, when the damage is come to.
    """
    for section, key, data in stream_entries(
        stream, "catalog", {"nodes": _FIELDS, "sources": _FIELDS}, needed="nodes"
    ):
        if section != "metadata":
            yield _table(as_text(data.get("unique_id")) or key, data)


def _table(unique_id: str, data: Json) -> Table:
    told = as_mapping(data.get("metadata"))
    named = {
        name: as_text(told.get(name)) for name in ("name", "database", "schema", "type", "owner", "comment")
    }
    columns = sorted(
        as_mappings(data.get("columns")).items(), key=lambda each: as_number(each[1].get("index")) or 0
    )
    stats = {
        name: stat.get("value")
        for name, stat in as_mappings(data.get("stats")).items()
        if stat.get("include") and name != "has_stats"
    }
    return Table(unique_id, **named, columns=tuple(_column(*each) for each in columns), stats=stats)


def _column(key: str, data: Json) -> Column:
    return Column(as_text(data.get("name")) or key, as_text(data.get("type")), as_text(data.get("comment")))

"""Reads `catalog.json`: the tables and columns that exist in the database (schema v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Fields

_FIELDS = frozenset({"unique_id", "metadata", "columns", "stats"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        type: The database's own name of the type, or "".
        comment: The comment in the database, or "".
    """

    name: str
    type: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view of a node or a source.

    Attributes:
        unique_id: The unique id of the node or source.
        name: Its name in the database.
        database: Its database.
        schema: Its schema.
        type: The database's own name of its type, such as "BASE TABLE".
        owner: The database user that owns it, or "".
        comment: The comment in the database, or "".
        columns: Its columns in the database's order.
        stats: The adapter's statistics by dbt's names for them, such as {"num_rows": 220.0}.
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
    """Return the tables of a catalog by the unique ids of their nodes and sources.

    Raises:
        InvalidArtifact: If it is not a catalog.
    """
    return {table.unique_id: table for table in stream_catalog(stream)}


def stream_catalog(stream: IO[bytes]) -> Iterator[Table]:
    """Yield the tables of a catalog one at a time, in the order of the file.

    Raises:
        InvalidArtifact: If it is not a catalog. If it is damaged, only once the damage is reached.
    """
    for section, key, data in stream_entries(
        stream, "catalog", {"nodes": _FIELDS, "sources": _FIELDS}, needed="nodes"
    ):
        if section != "metadata":
            yield _table(data.text("unique_id") or key, data)


def _table(unique_id: str, data: Fields) -> Table:
    metadata = data.mapping("metadata")
    named = {name: metadata.text(name) for name in ("name", "database", "schema", "type", "owner", "comment")}
    columns = sorted(data.mappings("columns").items(), key=lambda each: each[1].number("index") or 0)
    stats = {
        name: stat.get("value")
        for name, stat in data.mappings("stats").items()
        if stat.get("include") and name != "has_stats"
    }
    return Table(unique_id, **named, columns=tuple(_column(*each) for each in columns), stats=stats)


def _column(key: str, data: Fields) -> Column:
    return Column(data.text("name") or key, data.text("type"), data.text("comment"))

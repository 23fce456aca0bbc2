"""Prepares a catalog for the OpenLineage library, which fails on a column without a type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.json_values import Json, as_mapping, as_mappings, as_number, as_text

if TYPE_CHECKING:
    from airflow.sdk.types import Logger


def library_catalog(catalog: Json, log: Logger) -> dict[str, Any]:
    """Return a copy of a catalog with its tables' columns and counts.

    A column without a type gets the type "". Without the column, lineage would show it as dropped.

    Args:
        catalog: A `catalog.json`.
        log: Gets a warning with the number of columns without a type.
    """
    sections = {section: _tables(as_mappings(catalog.get(section))) for section in ("nodes", "sources")}
    tables = [table for section in sections.values() for table in section.values()]
    untyped = sum(not column["type"] for table in tables for column in table["columns"].values())
    if untyped:
        log.warning("The OpenLineage events have no type for %d columns: catalog.json has none.", untyped)
    return sections


def _tables(tables: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """Leave out tables without columns: for them the library takes the columns of the manifest."""
    return {
        unique_id: {"columns": _columns(table["columns"]), "stats": _stats(table)}
        for unique_id, table in tables.items()
        if isinstance(table.get("columns"), Mapping)
    }


def _columns(columns: Json) -> dict[str, dict[str, str]]:
    each = {key: as_mapping(column) for key, column in columns.items()}
    return {
        key: {"name": as_text(column.get("name")) or key, "type": as_text(column.get("type"))}
        for key, column in each.items()
    }


def _stats(table: Json) -> dict[str, Json]:
    counts = as_mappings(table.get("stats"))
    return {name: count for name, count in counts.items() if as_number(count.get("value")) is not None}

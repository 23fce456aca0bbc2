"""A catalog as the OpenLineage library reads it, which fails on a column without a type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.json_values import Json, as_mapping, as_mappings, as_number, as_text

if TYPE_CHECKING:
    from airflow.sdk.types import Logger


def library_catalog(catalog: Json, log: Logger) -> dict[str, Any]:
    """The columns and counts of a catalog's tables; what is given is not changed.

    A column whose type the database did not tell has the type "": left out it would seem to be dropped.

    Args:
        catalog: A `catalog.json`.
        log: Told how many columns have no type.
    """
    told = {section: _tables(as_mappings(catalog.get(section))) for section in ("nodes", "sources")}
    tables = [table for section in told.values() for table in section.values()]
    untyped = sum(not column["type"] for table in tables for column in table["columns"].values())
    if untyped:
        log.warning("OpenLineage is told no type of %d columns, which catalog.json has none for.", untyped)
    return told


def _tables(tables: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """Without those that have no columns: of them the library takes the manifest's."""
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

"""Fields about the table of a node, read from `catalog.json`."""

from typing import Any

from dbtcloud.local.discovery.execution_fields import javascript_time
from dbtcloud.local.discovery.nodes import DiscoveryNode, Json


def catalog(node: DiscoveryNode) -> dict[str, Any] | None:
    """Return the catalog entry of a node, or None if no run has written one."""
    if node.catalog is None:
        return None
    entry, facts = node.catalog.body, node.catalog.facts
    counts = {stat["id"]: stat["value"] for stat in stats(node) if isinstance(stat["value"], int | float)}
    return {
        **table_metadata(node),
        "uniqueId": node.unique_id,
        "columns": columns(node),
        "stats": stats(node),
        "rowCountStat": _whole(counts.get("row_count", counts.get("num_rows"))),
        "bytesStat": _whole(counts.get("bytes", counts.get("num_bytes"))),
        "runId": facts.run_id,
        "jobDefinitionId": facts.job_id,
        "environmentId": facts.environment_id,
        "runGeneratedAt": javascript_time(facts.generated_at),
        "comment": (entry.get("metadata") or {}).get("comment"),
    }


def table_metadata(node: DiscoveryNode) -> dict[str, Any]:
    """Return the type, owner and comment of a table, or nulls without a catalog entry."""
    metadata = (node.catalog.body.get("metadata") or {}) if node.catalog else {}
    return {name: metadata.get(name) for name in ("type", "owner", "comment")}


def columns(node: DiscoveryNode) -> list[dict[str, Any]] | None:
    """Return the columns of a table in order, with their descriptions in the project."""
    if node.catalog is None:
        return None
    described = {name.lower(): column for name, column in (node.body.get("columns") or {}).items()}
    found = (node.catalog.body.get("columns") or {}).values()
    sort_views = sorted(found, key=lambda column: column.get("index") or 0)
    return [_column(column, described.get(str(column.get("name")).lower(), {})) for column in sort_views]


def _column(column: Json, described: Json) -> dict[str, Any]:
    return {
        **{name: column.get(name) for name in ("name", "index", "type", "comment")},
        "description": described.get("description"),
        "tags": list(described.get("tags") or ()),
        "meta": described.get("meta") or {},
    }


def stats(node: DiscoveryNode) -> list[dict[str, Any]]:
    """Return the statistics of a table that the adapter provides."""
    entries = (node.catalog.body.get("stats") or {}) if node.catalog else {}
    names = ("id", "label", "description", "include", "value")
    return [{"id": key, **{name: stat.get(name) for name in names[1:]}} for key, stat in entries.items()]


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)

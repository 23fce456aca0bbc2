"""What a warehouse says of a node's table, as Discovery writes `catalog.json`."""

from typing import Any

from dbtcloud.local.discovery.executions import moment
from dbtcloud.local.discovery.nodes import Json, Node


def catalog(node: Node) -> dict[str, Any] | None:
    """Write a node's catalog entry; None where no run has made one."""
    if node.catalog is None:
        return None
    entry, facts = node.catalog.body, node.catalog.facts
    counts = {stat["id"]: stat["value"] for stat in stats(node) if isinstance(stat["value"], int | float)}
    return {
        **table(node),
        "uniqueId": node.unique_id,
        "columns": columns(node),
        "stats": stats(node),
        "rowCountStat": _whole(counts.get("row_count", counts.get("num_rows"))),
        "bytesStat": _whole(counts.get("bytes", counts.get("num_bytes"))),
        "runId": facts.run_id,
        "jobDefinitionId": facts.job_id,
        "environmentId": facts.environment_id,
        "runGeneratedAt": moment(facts.generated_at),
        "comment": (entry.get("metadata") or {}).get("comment"),
    }


def table(node: Node) -> dict[str, Any]:
    """Write what kind of table it is, whose, and its comment; nulls where no run has asked."""
    metadata = (node.catalog.body.get("metadata") or {}) if node.catalog else {}
    return {name: metadata.get(name) for name in ("type", "owner", "comment")}


def columns(node: Node) -> list[dict[str, Any]] | None:
    """Write the table's columns in their order, each with what the project says of it."""
    if node.catalog is None:
        return None
    described = {name.lower(): column for name, column in (node.body.get("columns") or {}).items()}
    found = (node.catalog.body.get("columns") or {}).values()
    ordered = sorted(found, key=lambda column: column.get("index") or 0)
    return [_column(column, described.get(str(column.get("name")).lower(), {})) for column in ordered]


def _column(column: Json, described: Json) -> dict[str, Any]:
    return {
        **{name: column.get(name) for name in ("name", "index", "type", "comment")},
        "description": described.get("description"),
        "tags": list(described.get("tags") or ()),
        "meta": described.get("meta") or {},
    }


def stats(node: Node) -> list[dict[str, Any]]:
    """Write the statistics that the adapter gives."""
    entries = (node.catalog.body.get("stats") or {}) if node.catalog else {}
    names = ("id", "label", "description", "include", "value")
    return [{"id": key, **{name: stat.get(name) for name in names[1:]}} for key, stat in entries.items()]


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)

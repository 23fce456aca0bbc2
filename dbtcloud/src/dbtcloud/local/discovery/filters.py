"""The arguments `filter` and `sort` of lists of nodes."""

from collections.abc import Callable, Mapping
from typing import Any

from dbtcloud.local.discovery import execution_fields
from dbtcloud.local.discovery.catalog_fields import catalog
from dbtcloud.local.discovery.nodes import (
    DiscoveryNode,
    Json,
    modeling_layer,
    node_tags,
    table_identifier,
    test_type,
)
from dbtcloud.local.discovery.project_state import NodeInState


def _equal(name: str) -> Callable[[DiscoveryNode, Any], bool]:
    return lambda node, wanted: node.body.get(name) == wanted


def _of_config(name: str) -> Callable[[DiscoveryNode, Any], bool]:
    return lambda node, wanted: (node.body.get(name) or node.config.get(name)) == wanted


def _last_status(node: DiscoveryNode, wanted: str) -> bool:
    return node.last is not None and node.last.status == wanted


_CONDITIONS: Mapping[str, Callable[[DiscoveryNode, Any], bool]] = {
    "uniqueIds": lambda node, wanted: node.unique_id in wanted,
    "tags": lambda node, wanted: not set(node_tags(node)).isdisjoint(wanted),
    "types": lambda node, wanted: node.kind in wanted,
    "database": _equal("database"),
    "schema": _equal("schema"),
    "packageName": _equal("package_name"),
    "exposureType": _equal("type"),
    "access": _of_config("access"),
    "group": _of_config("group"),
    "identifier": lambda node, wanted: wanted in (table_identifier(node), node.body.get("name")),
    "modelingLayer": lambda node, wanted: modeling_layer(node) == wanted,
    "lastRunStatus": _last_status,
    "status": _last_status,
    "testTypes": lambda node, wanted: test_type(node) in wanted,
    "sourceNames": lambda node, wanted: node.body.get("source_name") in wanted,
    "freshnessChecked": lambda node, wanted: (node.last is not None) == wanted,
    "freshnessStatus": lambda node, wanted: execution_fields.freshness_status(node) == wanted,
}


def matches(node: DiscoveryNode, filters: Json | None) -> bool:
    """Return True if a node meets all conditions that are not null."""
    conditions = {name: wanted for name, wanted in (filters or {}).items() if wanted is not None}
    return all(_CONDITIONS[name](node, wanted) for name, wanted in conditions.items())


def sort_views(views: list[NodeInState], sort: Json | None) -> list[NodeInState]:
    """Return models in the requested order.

    Models without an `executeCompletedAt` or a `rowCount` come last. This server has no `queryUsageCount`, so
    that this order is that of the ids.
    """
    keys = {"executeCompletedAt": _completed, "rowCount": _rows}
    key = keys.get(sort["field"]) if sort else None
    if sort is None or (key is None and sort["field"] != "uniqueId"):
        return views
    backwards = sort["direction"] == "desc"
    if key is None:
        return views[::-1] if backwards else views
    known = [view for view in views if key(view.node) is not None]
    unknown = [view for view in views if key(view.node) is None]
    return sorted(known, key=lambda view: key(view.node), reverse=backwards) + unknown


def _completed(node: DiscoveryNode) -> Any:
    return execution_fields.execution_info(node)["executeCompletedAt"]


def _rows(node: DiscoveryNode) -> Any:
    found = catalog(node)
    return found and found["rowCountStat"]

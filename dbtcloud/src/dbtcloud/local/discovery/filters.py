"""Which nodes a `filter` lets through, and in which order `sort` puts models."""

from collections.abc import Callable, Mapping
from typing import Any

from dbtcloud.local.discovery import executions
from dbtcloud.local.discovery.catalogs import catalog
from dbtcloud.local.discovery.nodes import Json, Node
from dbtcloud.local.discovery.traits import check_type, identifier, modeling_layer, tags
from dbtcloud.local.discovery.views import View


def _equal(name: str) -> Callable[[Node, Any], bool]:
    return lambda node, wanted: node.body.get(name) == wanted


def _of_config(name: str) -> Callable[[Node, Any], bool]:
    return lambda node, wanted: (node.body.get(name) or node.config.get(name)) == wanted


def _last_status(node: Node, wanted: str) -> bool:
    return node.last is not None and node.last.status == wanted


_TESTS: Mapping[str, Callable[[Node, Any], bool]] = {
    "uniqueIds": lambda node, wanted: node.unique_id in wanted,
    "tags": lambda node, wanted: not set(tags(node)).isdisjoint(wanted),
    "types": lambda node, wanted: node.kind in wanted,
    "database": _equal("database"),
    "schema": _equal("schema"),
    "packageName": _equal("package_name"),
    "exposureType": _equal("type"),
    "access": _of_config("access"),
    "group": _of_config("group"),
    "identifier": lambda node, wanted: wanted in (identifier(node), node.body.get("name")),
    "modelingLayer": lambda node, wanted: modeling_layer(node) == wanted,
    "lastRunStatus": _last_status,
    "status": _last_status,
    "testTypes": lambda node, wanted: check_type(node) in wanted,
    "sourceNames": lambda node, wanted: node.body.get("source_name") in wanted,
    "freshnessChecked": lambda node, wanted: (node.last is not None) == wanted,
    "freshnessStatus": lambda node, wanted: executions.freshness_status(node) == wanted,
}


def passes(node: Node, filters: Json | None) -> bool:
    """Return whether a node meets all conditions; null asks for nothing."""
    asked = {name: wanted for name, wanted in (filters or {}).items() if wanted is not None}
    return all(_TESTS[name](node, wanted) for name, wanted in asked.items())


def ordered(views: list[View], sort: Json | None) -> list[View]:
    """Return models in the order asked for.

    By `executeCompletedAt` or by `rowCount`, what has none last. Nothing is known here of `queryUsageCount`:
    that order is the ids'.
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


def _completed(node: Node) -> Any:
    return executions.execution_info(node)["executeCompletedAt"]


def _rows(node: Node) -> Any:
    found = catalog(node)
    return found and found["rowCountStat"]

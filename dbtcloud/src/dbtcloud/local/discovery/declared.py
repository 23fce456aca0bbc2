"""What only some kinds of nodes declare: arguments of macros, parts of semantic models and of unit tests."""

from collections.abc import Mapping
from typing import Any

from dbtcloud.local.discovery.nodes import Node

_CONSTRAINT = ("name", "type", "expression", "columns", "warn_unenforced", "warn_unsupported")
_PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "arguments": ("arguments", ("name", "type", "description")),
    "constraints": ("constraints", _CONSTRAINT),
    "dimensions": ("dimensions", ("name", "type", "description", "expr", "type_params")),
    "entities": ("entities", ("name", "type", "description", "expr", "role")),
    "measures": ("measures", ("name", "agg", "description", "expr", "create_metric")),
}
PARTS = frozenset(_PARTS)
"""The fields that `parts` reads."""

UNIT_TEST = ("model", "given", "expect", "overrides", "numGiven", "numGivenRows", "numExpectRows") + (
    "thisInputNodeUniqueId",
)
"""The fields that `unit_test` reads."""


def parts(node: Node, field: str) -> list[dict[str, Any]]:
    """Return the entries of one of a node's lists, their keys in GraphQL's spelling."""
    key, names = _PARTS[field]
    return [{_camel(name): part.get(name) for name in names} for part in node.body.get(key) or ()]


def unit_test(node: Node) -> dict[str, Any]:
    """Return what a unit test gives and expects; of any other test, nothing but nulls."""
    body = node.body if node.body["resource_type"] == "unit_test" else {}
    given, expect = body.get("given"), body.get("expect") or {}
    rows = [_count(each) for each in given or ()]
    return {
        "model": body.get("model"),
        "given": given,
        "expect": expect or None,
        "overrides": body.get("overrides"),
        "numGiven": None if given is None else len(given),
        "numGivenRows": None if given is None else sum(rows),
        "numExpectRows": _count(expect) if expect else None,
        "thisInputNodeUniqueId": body.get("this_input_node_unique_id"),
    }


def _count(table: Mapping[str, Any]) -> int:
    """Count rows; those of a file or of SQL are text in the manifest, and not counted."""
    rows = table.get("rows")
    return len(rows) if isinstance(rows, list) else 0


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

"""Fields of macros, semantic models and unit tests, read from the manifest."""

from collections.abc import Mapping
from typing import Any

from dbtcloud.local.discovery.nodes import DiscoveryNode

_CONSTRAINT = ("name", "type", "expression", "columns", "warn_unenforced", "warn_unsupported")
_LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "arguments": ("arguments", ("name", "type", "description")),
    "constraints": ("constraints", _CONSTRAINT),
    "dimensions": ("dimensions", ("name", "type", "description", "expr", "type_params")),
    "entities": ("entities", ("name", "type", "description", "expr", "role")),
    "measures": ("measures", ("name", "agg", "description", "expr", "create_metric")),
}
LIST_FIELDS = frozenset(_LISTS)
"""The fields that `list_entries` reads."""

UNIT_TEST_FIELDS = ("model", "given", "expect", "overrides", "numGiven", "numGivenRows", "numExpectRows") + (
    "thisInputNodeUniqueId",
)
"""The fields that `unit_test` returns."""


def list_entries(node: DiscoveryNode, field: str) -> list[dict[str, Any]]:
    """Return the entries of one list of a node, with keys in camel case."""
    key, names = _LISTS[field]
    return [{_camel(name): part.get(name) for name in names} for part in node.body.get(key) or ()]


def unit_test(node: DiscoveryNode) -> dict[str, Any]:
    """Return the inputs and the expected rows of a unit test, or nulls for any other test."""
    body = node.body if node.body["resource_type"] == "unit_test" else {}
    given, expect = body.get("given"), body.get("expect") or {}
    rows = [_count_rows(each) for each in given or ()]
    return {
        "model": body.get("model"),
        "given": given,
        "expect": expect or None,
        "overrides": body.get("overrides"),
        "numGiven": None if given is None else len(given),
        "numGivenRows": None if given is None else sum(rows),
        "numExpectRows": _count_rows(expect) if expect else None,
        "thisInputNodeUniqueId": body.get("this_input_node_unique_id"),
    }


def _count_rows(table: Mapping[str, Any]) -> int:
    # The rows of a file or a SQL query are text in the manifest. They do not count.
    rows = table.get("rows")
    return len(rows) if isinstance(rows, list) else 0


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

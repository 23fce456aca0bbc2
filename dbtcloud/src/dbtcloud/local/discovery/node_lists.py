"""Lists of nodes: filtered, sorted, and divided into pages."""

from base64 import urlsafe_b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbtcloud.local.discovery.node_fields import NodeFields
from dbtcloud.local.discovery.nodes import DiscoveryNode, Json
from dbtcloud.local.discovery.project_state import NodeInState, ProjectState
from dbtcloud.local.discovery.query_limits import graphql_error

# Limits of one page (dbt docs: "Query the Discovery API").
_MAX_NODES = 500
_MAX_JOB_NODES = 100


def _equal(name: str) -> Callable[[DiscoveryNode, Any], bool]:
    return lambda node, wanted: node.body.get(name) == wanted


def _of_config(name: str) -> Callable[[DiscoveryNode, Any], bool]:
    return lambda node, wanted: (node.body.get(name) or node.config.get(name)) == wanted


def _last_status(node: DiscoveryNode, wanted: str) -> bool:
    return node.last is not None and node.last.status == wanted


_CONDITIONS: Mapping[str, Callable[[DiscoveryNode, Any], bool]] = {
    "uniqueIds": lambda node, wanted: node.unique_id in wanted,
    "tags": lambda node, wanted: not set(node.tags).isdisjoint(wanted),
    "types": lambda node, wanted: node.kind in wanted,
    "database": _equal("database"),
    "schema": _equal("schema"),
    "packageName": _equal("package_name"),
    "exposureType": _equal("type"),
    "access": _of_config("access"),
    "group": _of_config("group"),
    "identifier": lambda node, wanted: wanted in (node.table_identifier, node.body.get("name")),
    "modelingLayer": lambda node, wanted: node.modeling_layer == wanted,
    "lastRunStatus": _last_status,
    "status": _last_status,
    "testTypes": lambda node, wanted: node.test_type in wanted,
    "sourceNames": lambda node, wanted: node.body.get("source_name") in wanted,
    "freshnessChecked": lambda node, wanted: (node.last is not None) == wanted,
    "freshnessStatus": lambda node, wanted: NodeFields(node).freshness_status() == wanted,
}


class NodeList:
    """The nodes of a state that match a filter, sorted by id.

    Args:
        state: the state.
        kinds: the kinds of the nodes.
        filters: GraphQL's filter. Conditions that are null do not count.

    Attributes:
        nodes: the nodes.
    """

    def __init__(self, state: ProjectState, kinds: Iterable[str], filters: Json | None) -> None:
        conditions = {name: wanted for name, wanted in (filters or {}).items() if wanted is not None}
        self._state = state
        self.nodes = [
            node
            for node in state.of_kind(kinds)
            if all(_CONDITIONS[name](node, wanted) for name, wanted in conditions.items())
        ]

    def connection(
        self, first: int | None = None, after: str | None = None, sort: Json | None = None
    ) -> dict[str, Any]:
        """Return one page of the nodes as a connection of the Relay specification.

        Args:
            first: the size of the page. The default is 500.
            after: `endCursor` of the previous page, or None or "" for the first page.
            sort: GraphQL's order, or None for that of the ids.

        Raises:
            GraphQLError: the page is too large, or the cursor is not valid.
        """
        nodes = _sort(self.nodes, sort)
        begin = _start_index(nodes, after)
        page = self._views(nodes[begin : begin + _page_size(first, _MAX_NODES)])
        edges = [{"cursor": view.node.cursor, "node": view} for view in page]
        return {
            "edges": edges,
            "pageInfo": {
                "startCursor": edges[0]["cursor"] if edges else None,
                "endCursor": edges[-1]["cursor"] if edges else None,
                "hasNextPage": begin + len(page) < len(nodes),
                "hasPreviousPage": begin > 0,
            },
            "totalCount": len(nodes),
        }

    def job_page(self, first: int | None = None, after: str | None = None) -> list[NodeInState]:
        """Return the nodes after a `paginationCursor` as `job` lists them, or all if `first` is None.

        Raises:
            GraphQLError: the page is too large, or the cursor is not valid.
        """
        begin = _start_index(self.nodes, after)
        end = None if first is None else begin + _page_size(first, _MAX_JOB_NODES)
        return self._views(self.nodes[begin:end])

    def _views(self, nodes: list[DiscoveryNode]) -> list[NodeInState]:
        return [NodeInState(node, self._state) for node in nodes]


def _sort(nodes: list[DiscoveryNode], sort: Json | None) -> list[DiscoveryNode]:
    """Return models in the requested order, those without a value for it last."""
    if sort is None:
        return nodes
    backwards = sort["direction"] == "desc"
    if sort["field"] == "uniqueId":
        return nodes[::-1] if backwards else nodes
    keys = {"executeCompletedAt": _completed, "rowCount": _rows}
    key = keys.get(sort["field"])
    if key is None:  # `queryUsageCount`, which this server does not have
        return nodes
    known = [node for node in nodes if key(node) is not None]
    unknown = [node for node in nodes if key(node) is None]
    return sorted(known, key=key, reverse=backwards) + unknown


def _completed(node: DiscoveryNode) -> Any:
    return NodeFields(node).execution_info()["executeCompletedAt"]


def _rows(node: DiscoveryNode) -> Any:
    found = NodeFields(node).catalog()
    return found and found["rowCountStat"]


def _page_size(first: int | None, most: int) -> int:
    if first is None:
        return most
    if not 0 <= first <= most:
        raise graphql_error(
            f"Argument 'first' is {first}, but a page has 0 to {most} nodes. Request the others with 'after'."
        )
    return first


def _start_index(nodes: list[DiscoveryNode], after: str | None) -> int:
    if not after:
        return 0
    try:
        unique_id = urlsafe_b64decode(after.encode()).decode()
    except ValueError:
        raise graphql_error(
            f"Argument 'after' is {after!r}, which is not a cursor. Use the endCursor of a page."
        ) from None
    ids = [node.unique_id for node in nodes]
    # The node of the cursor may have left the list since. The page then begins where it would stand.
    return ids.index(unique_id) + 1 if unique_id in ids else bisect_right(sorted(ids), unique_id)

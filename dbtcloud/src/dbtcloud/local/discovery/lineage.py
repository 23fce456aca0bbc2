"""The nodes of `lineage`, filtered by type, tag, id or a simple dbt selection."""

import re
from typing import Any

from dbtcloud.local.discovery.field_resolvers import FIELD_RESOLVERS
from dbtcloud.local.discovery.node_lists import NodeList
from dbtcloud.local.discovery.nodes import DiscoveryNode, Json
from dbtcloud.local.discovery.project_state import NodeInState, ProjectState
from dbtcloud.local.discovery.query_limits import graphql_error

_SELECTOR = re.compile(r"(?P<up>\+?)(?P<name>[\w.]+)(?P<down>\+?)")
_NODE_FIELDS = (
    "uniqueId",
    "name",
    "description",
    "filePath",
    "database",
    "schema",
    "alias",
    "access",
    "group",
)
_WITHOUT_LINEAGE = frozenset({"Group"})


def lineage_nodes(state: ProjectState, filters: Json) -> list[dict[str, Any]]:
    """Return the nodes of a project with the ids of their parents.

    Args:
        state: the project.
        filters: `types`, `tags` and `uniqueIds` remove nodes. `select` and `exclude` are names or ids of
            nodes, separated by spaces. A `+` in front adds their ancestors, one behind their descendants.
            Nodes that `select` does not match stay, with `matchesMethod` false.

    Raises:
        GraphQLError: the selection uses another selector method of dbt, which this server does not have.
    """
    plain = {name: filters.get(name) for name in ("types", "tags", "uniqueIds")}
    kinds = {node.kind for node in state.nodes.values()} - _WITHOUT_LINEAGE
    nodes = NodeList(state, kinds, plain).nodes
    selected = _select(state, filters.get("select"))
    excluded = _select(state, filters.get("exclude")) or set()
    return [_lineage_node(state, node, selected) for node in nodes if node.unique_id not in excluded]


def _lineage_node(state: ProjectState, node: DiscoveryNode, selected: set[str] | None) -> dict[str, Any]:
    view = NodeInState(node, state)
    return {
        "__typename": f"{node.kind}LineageNode",
        **{name: FIELD_RESOLVERS[name](view) for name in _NODE_FIELDS},
        "resourceType": node.kind,
        "fqn": FIELD_RESOLVERS["fqn"](view),
        "tags": FIELD_RESOLVERS["tags"](view),
        "projectId": node.facts.project_id,
        "version": FIELD_RESOLVERS["version"](view),
        "sourceName": node.body.get("source_name"),
        "materializationType": node.config.get("materialized"),
        "modelingLayer": FIELD_RESOLVERS["modelingLayer"](view),
        "matchesMethod": selected is None or node.unique_id in selected,
        "parentIds": state.parent_ids(node),
        "publicParentIds": [],
        "lastRunStatus": node.last.status if node.last else None,
        "worstTestStatus": _worst_status(state.tests(node)),
    }


def _worst_status(tests: list[DiscoveryNode]) -> str | None:
    found = {test.last.status for test in tests if test.last}
    return next((status for status in ("error", "fail", "warn", "skipped", "pass") if status in found), None)


def _select(state: ProjectState, selection: str | None) -> set[str] | None:
    if not selection:
        return None
    return {node.unique_id for word in selection.split() for node in _select_word(state, word)}


def _select_word(state: ProjectState, word: str) -> list[DiscoveryNode]:
    parts = _SELECTOR.fullmatch(word)
    if parts is None:
        raise graphql_error(
            f"The local dbt Cloud cannot select {word!r}. Give names or unique ids of nodes, with '+' in "
            "front for their ancestors or behind for their descendants."
        )
    found = [
        node for node in state.nodes.values() if parts["name"] in (node.body.get("name"), node.unique_id)
    ]
    up = [ancestor for node in found for ancestor in state.ancestors(node)] if parts["up"] else []
    return found + up + (_descendants(state, found) if parts["down"] else [])


def _descendants(state: ProjectState, nodes: list[DiscoveryNode]) -> list[DiscoveryNode]:
    seen: dict[str, DiscoveryNode] = {}
    waiting = list(nodes)
    while waiting:
        for child in state.children(waiting.pop()):
            if child.unique_id not in seen:
                seen[child.unique_id] = child
                waiting.append(child)
    return list(seen.values())

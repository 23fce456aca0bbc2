"""The graph of a project as a list: `lineage`, narrowed by types, tags, ids or a simple selection."""

import re
from typing import Any

from dbtcloud.local.discovery.fields import FIELDS
from dbtcloud.local.discovery.filters import passes
from dbtcloud.local.discovery.limits import refuse
from dbtcloud.local.discovery.nodes import Json, Node
from dbtcloud.local.discovery.states import State, by_parent_ids
from dbtcloud.local.discovery.views import View

_SELECTED = re.compile(r"(?P<up>\+?)(?P<name>[\w.]+)(?P<down>\+?)")
_TAKEN = ("uniqueId", "name", "description", "filePath", "database", "schema", "alias", "access", "group")
_UNEXECUTED = frozenset({"Group"})


def lineage(state: State, filters: Json) -> list[dict[str, Any]]:
    """Return the nodes of a project with the ids of their parents.

    Args:
        state: the project.
        filters: `types`, `tags` and `uniqueIds` leave nodes out; `select` and `exclude` name nodes, by name
            or id, separated by spaces, `+` in front for their ancestors too and behind for their descendants:
            nodes that `select` does not name stay, with `matchesMethod` false.

    Raises:
        GraphQLError: for a selection by other methods of dbt's, which this server does not have.
    """
    plain = {name: filters.get(name) for name in ("types", "tags", "uniqueIds")}
    kinds = {node.kind for node in state.nodes.values()} - _UNEXECUTED
    nodes = [node for node in state.of_kind(kinds) if passes(node, plain)]
    selected = _named(state, filters.get("select"))
    excluded = _named(state, filters.get("exclude")) or set()
    return [_shape(state, node, selected) for node in nodes if node.unique_id not in excluded]


def _shape(state: State, node: Node, selected: set[str] | None) -> dict[str, Any]:
    view = View(node, state)
    return {
        "__typename": f"{node.kind}LineageNode",
        **{name: FIELDS[name](view) for name in _TAKEN},
        "resourceType": node.kind,
        "fqn": FIELDS["fqn"](view),
        "tags": FIELDS["tags"](view),
        "projectId": node.facts.project_id,
        "version": FIELDS["version"](view),
        "sourceName": node.body.get("source_name"),
        "materializationType": node.config.get("materialized"),
        "modelingLayer": FIELDS["modelingLayer"](view),
        "matchesMethod": selected is None or node.unique_id in selected,
        "parentIds": by_parent_ids(state.nodes, node),
        "publicParentIds": [],
        "lastRunStatus": node.last.status if node.last else None,
        "worstTestStatus": _worst(state.tests(node)),
    }


def _worst(tests: list[Node]) -> str | None:
    found = {test.last.status for test in tests if test.last}
    return next((status for status in ("error", "fail", "warn", "skipped", "pass") if status in found), None)


def _named(state: State, selection: str | None) -> set[str] | None:
    if not selection:
        return None
    return {node.unique_id for word in selection.split() for node in _expanded(state, word)}


def _expanded(state: State, word: str) -> list[Node]:
    parts = _SELECTED.fullmatch(word)
    if parts is None:
        raise refuse(
            f"The local dbt Cloud cannot select {word!r}; give names or unique ids of nodes, with '+' in "
            "front for their ancestors or behind for their descendants."
        )
    found = [
        node for node in state.nodes.values() if parts["name"] in (node.body.get("name"), node.unique_id)
    ]
    up = [ancestor for node in found for ancestor in state.ancestors(node)] if parts["up"] else []
    return found + up + (_descendants(state, found) if parts["down"] else [])


def _descendants(state: State, nodes: list[Node]) -> list[Node]:
    seen: dict[str, Node] = {}
    waiting = list(nodes)
    while waiting:
        for child in state.children(waiting.pop()):
            if child.unique_id not in seen:
                seen[child.unique_id] = child
                waiting.append(child)
    return list(seen.values())

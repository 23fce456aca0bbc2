"""The resolvers of the query root: `environment`, `job`, and the lists within them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dbtcloud.local.discovery.field_resolvers import FIELD_RESOLVERS
from dbtcloud.local.discovery.legacy_metrics import legacy_metrics
from dbtcloud.local.discovery.node_fields import javascript_time
from dbtcloud.local.discovery.node_lists import NodeList
from dbtcloud.local.discovery.nodes import DiscoveryNode, Json, Result
from dbtcloud.local.discovery.project_state import (
    MAX_HISTORICAL_RUNS,
    NodeInState,
    ProjectState,
)
from dbtcloud.local.discovery.query_limits import graphql_error
from dbtcloud.local.discovery.repository import RunRepository
from dbtcloud.local.discovery.run_artifacts import ParsedArtifacts

_LISTS: Mapping[str, str] = {
    "models": "Model",
    "tests": "Test",
    "sources": "Source",
    "seeds": "Seed",
    "snapshots": "Snapshot",
    "exposures": "Exposure",
    "macros": "Macro",
    "metrics": "Metric",
    "savedQueries": "SavedQuery",
    "semanticModels": "SemanticModel",
    "groups": "Group",
}
# `job` has fields for single nodes of these kinds as well.
_SINGLE_NODES: Mapping[str, str] = {
    "model": "Model",
    "test": "Test",
    "source": "Source",
    "seed": "Seed",
    "snapshot": "Snapshot",
    "exposure": "Exposure",
    "macro": "Macro",
    "metric": "Metric",
}
_NOT_COUNTED = frozenset({"Group"})
_SELECTOR = re.compile(r"(?P<up>\+?)(?P<name>[\w.]+)(?P<down>\+?)")
_LINEAGE_FIELDS = (
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


class QueryResolvers:
    """The root of a query.

    Args:
        repository: the finished runs.
        accounts: the accounts that the caller may see, or None for all.
    """

    def __init__(self, repository: RunRepository, accounts: frozenset[int] | None = None) -> None:
        self._repository, self._accounts = repository, accounts

    def environment(self, id: int) -> dict[str, Any]:  # noqa: A002 - GraphQL's argument
        """Resolve an environment with its two states."""
        states = self._repository.environment(id, self._accounts)
        if states is None:
            raise graphql_error(f"There is no environment {id}, or the token may not see it.", "NOT_FOUND")
        artifacts = states.definition.artifacts
        return {
            "dbtProjectName": artifacts and artifacts.project_name,
            "adapterType": artifacts and artifacts.adapter_type,
            "applied": _applied_fields(states.applied),
            "definition": _state_fields(states.definition),
        }

    def job(self, id: int, runId: int | None = None) -> dict[str, Any]:  # noqa: A002, N803 - GraphQL's arguments
        """Resolve a job: the state of its project in one run."""
        return _job_fields(id, self._artifacts(id, runId))

    def metrics(self, jobId: int, runId: int | None = None) -> list[dict[str, Any]]:  # noqa: N803 - GraphQL's
        """Resolve the metrics of a job's run, as the API did before `job` had them."""
        return legacy_metrics(self._artifacts(jobId, runId))

    def _artifacts(self, job_id: int, run_id: int | None) -> ParsedArtifacts:
        artifacts = self._repository.run(job_id, run_id, self._accounts)
        if artifacts is None:
            which = "finished run" if run_id is None else f"finished run {run_id}"
            raise graphql_error(f"Job {job_id} has no {which}, or the token may not see it.", "NOT_FOUND")
        return artifacts


def _applied_fields(state: ProjectState) -> dict[str, Any]:
    return {
        **_state_fields(state),
        "latestGitSha": None,
        "modelHistoricalRuns": partial(_historical_runs, state),
        "owners": partial(_owners, state),
    }


def _state_fields(state: ProjectState) -> dict[str, Any]:
    """Return the fields of a state. Those that cost time are functions, called only if the query has them."""
    kinds = {node.kind for node in state.nodes.values()} - _NOT_COUNTED
    return {
        "lastUpdatedAt": javascript_time(state.last_updated_at),
        "resourceCounts": lambda: dict(sorted(Counter(node.kind for node in state.of_kind(kinds)).items())),
        "tags": lambda: _tags(state),
        "lineage": lambda filter: _lineage_nodes(state, filter),  # noqa: A006 - GraphQL's argument
        "packages": partial(_packages, state),
        "resources": _list_resolver(state, frozenset(kinds)),
        **{name: _list_resolver(state, frozenset({kind})) for name, kind in _LISTS.items()},
    }


def _list_resolver(state: ProjectState, kinds: frozenset[str]) -> Callable[..., dict[str, Any]]:
    def page(
        first: int | None = None,
        after: str | None = None,
        filter: Json | None = None,  # noqa: A002 - GraphQL's argument
        sort: Json | None = None,
    ) -> dict[str, Any]:
        return NodeList(state, kinds, filter).connection(first, after, sort)

    return page


def _job_fields(job_id: int, artifacts: ParsedArtifacts) -> dict[str, Any]:
    state = ProjectState.of_run(artifacts)
    lists = {name: _job_list_resolver(state, kind) for name, kind in _LISTS.items()}
    single = {name: _single_resolver(state, kind) for name, kind in _SINGLE_NODES.items()}
    return {"id": job_id, "runId": artifacts.facts.run_id, **lists, **single}


def _job_list_resolver(state: ProjectState, kind: str) -> Callable[..., list[NodeInState]]:
    def page(first: int | None = None, after: str | None = None, **filters: Any) -> list[NodeInState]:
        return NodeList(state, {kind}, filters).job_page(first, after)

    return page


def _single_resolver(state: ProjectState, kind: str) -> Callable[..., NodeInState | None]:
    def find(uniqueId: str | None = None, name: str | None = None) -> NodeInState | None:  # noqa: N803 - GraphQL's
        found = (
            node for node in state.of_kind({kind}) if uniqueId == node.unique_id or _is_named(node, name)
        )
        return next((NodeInState(node, state) for node in found), None)

    return find


def _is_named(node: DiscoveryNode, name: str | None) -> bool:
    return name is not None and node.body.get("name") == name


def _historical_runs(
    state: ProjectState,
    uniqueId: str | None = None,  # noqa: N803 - GraphQL's
    identifier: str | None = None,
    lastRunCount: int | None = 1,  # noqa: N803 - GraphQL's
    withCatalog: bool | None = None,  # noqa: N803 - GraphQL's
) -> list[NodeInState]:
    count = 1 if lastRunCount is None else lastRunCount
    if not 1 <= count <= MAX_HISTORICAL_RUNS:
        raise graphql_error(f"Argument 'lastRunCount' is {count}. Give 1 to {MAX_HISTORICAL_RUNS}.")
    filters = {"uniqueIds": None if uniqueId is None else [uniqueId], "identifier": identifier}
    return [
        _model_after_run(state, node, result, catalog=bool(withCatalog))
        for node in NodeList(state, {"Model"}, filters).nodes
        for result in node.history[:count]
    ]


def _model_after_run(
    state: ProjectState, node: DiscoveryNode, result: Result, *, catalog: bool
) -> NodeInState:
    """Return a model as it was after one of its runs, with the GraphQL type of `job`."""
    past = state.as_job_state()
    shown = replace(
        node, facts=result.facts, last=result, success=result if result.good else None, history=(result,)
    )
    return NodeInState(shown if catalog else replace(shown, catalog=None), past)


def _tags(state: ProjectState) -> list[dict[str, str]]:
    tags = {tag for node in state.nodes.values() for tag in node.tags}
    return [{"name": tag} for tag in sorted(tags)]


def _packages(state: ProjectState, resource: str) -> list[str]:
    kind = resource.capitalize()
    return sorted({str(node.body.get("package_name")) for node in state.of_kind({kind})})


def _owners(state: ProjectState, resource: str) -> list[dict[str, Any]]:
    owners = [node.body.get("owner") or {} for node in state.of_kind({resource.capitalize()})]
    pairs = {(owner.get("name"), owner.get("email")) for owner in owners}
    return [{"name": name, "email": email} for name, email in sorted(pairs, key=str)]


def _lineage_nodes(state: ProjectState, filters: Json) -> list[dict[str, Any]]:
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
        **{name: FIELD_RESOLVERS[name](view) for name in _LINEAGE_FIELDS},
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

"""The states of a project: in one run, as last defined, and as applied by the runs so far."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Self

from dbtcloud.local.discovery.nodes import (
    EXECUTABLE_KINDS,
    RESOURCE_KINDS,
    CatalogEntry,
    DiscoveryNode,
    Result,
)
from dbtcloud.local.discovery.run_artifacts import ParsedArtifacts

_ONLY_DEFINED = frozenset({"Macro", "Metric", "SemanticModel", "SavedQuery"})

MAX_HISTORICAL_RUNS = 20
"""`modelHistoricalRuns` goes no further back (dbt docs: "Uses and examples for the Discovery API")."""


class _StateKind(Enum):
    """Suffixes of the GraphQL types in a state: for nodes in lists, and for nodes within other nodes."""

    APPLIED = ("AppliedStateNode", "AppliedStateNestedNode")
    DEFINITION = ("DefinitionNode", "DefinitionNestedNode")
    JOB = ("Node", "Node")


@dataclass
class ProjectState:
    """The nodes of a project and their dependencies."""

    kind: _StateKind
    nodes: dict[str, DiscoveryNode] = field(default_factory=dict)
    artifacts: ParsedArtifacts | None = None
    _children: dict[str, list[str]] | None = field(default=None, repr=False)

    @classmethod
    def of_run(cls, artifacts: ParsedArtifacts, kind: _StateKind = _StateKind.JOB) -> Self:
        """Return the state of a project in one run: its manifest with its results."""
        nodes: dict[str, DiscoveryNode] = {}
        for name, body in artifacts.bodies.items():
            last = artifacts.results.get(name) or artifacts.freshness.get(name)
            success = last if last and last.good else None
            history = (last,) if last else ()
            nodes[name] = DiscoveryNode(
                body, artifacts.facts, last, success, history, artifacts.catalog.get(name)
            )
        return cls(kind, nodes, artifacts)

    def as_job_state(self) -> Self:
        """Return a state with the same nodes, which have the GraphQL types of `job`."""
        return replace(self, kind=_StateKind.JOB, _children=None)

    @property
    def last_updated_at(self) -> str | None:
        """The time (ISO 8601) at which the newest artifacts of the state were written."""
        return self.artifacts.facts.generated_at if self.artifacts else None

    def of_kind(self, kinds: Iterable[str]) -> list[DiscoveryNode]:
        """Return the nodes of the given kinds, sorted by id."""
        wanted = frozenset(kinds)
        return [self.nodes[name] for name in sorted(self.nodes) if self.nodes[name].kind in wanted]

    def parents(self, node: DiscoveryNode) -> list[DiscoveryNode]:
        """Return the direct parents of a node, without macros."""
        return [self.nodes[name] for name in self.parent_ids(node)]

    def parent_ids(self, node: DiscoveryNode) -> list[str]:
        """Return the ids of the direct parents that are in this state."""
        names = (node.body.get("depends_on") or {}).get("nodes") or ()
        return [name for name in dict.fromkeys(names) if name in self.nodes]

    def children(self, node: DiscoveryNode) -> list[DiscoveryNode]:
        """Return the direct children of a node."""
        # Built on the first use: most queries follow no edges.
        if self._children is None:
            self._children = {}
            for other in self.of_kind({node.kind for node in self.nodes.values()}):
                for parent in self.parents(other):
                    self._children.setdefault(parent.unique_id, []).append(other.unique_id)
        return [self.nodes[name] for name in self._children.get(node.unique_id, ())]

    def ancestors(self, node: DiscoveryNode) -> Iterator[DiscoveryNode]:
        """Yield all ancestors of a node, nearest first."""
        seen, waiting = {node.unique_id}, deque(self.parents(node))
        while waiting:
            nearest = waiting.popleft()
            if nearest.unique_id not in seen:
                seen.add(nearest.unique_id)
                yield nearest
                waiting.extend(self.parents(nearest))

    def tests(self, node: DiscoveryNode) -> list[DiscoveryNode]:
        """Return the tests of a node."""
        return [child for child in self.children(node) if child.kind == "Test"]


class EnvironmentState:
    """The definition and applied states of an environment, updated run by run.

    The definition is the newest manifest. A model, seed, snapshot or test is applied once a run has executed
    it, and has the definition of its last good run. Nodes that no run executes (sources, exposures and so on)
    are applied as they are defined. A node that is removed from the project is removed from both states
    (dbt docs: "Project state in dbt platform").
    """

    def __init__(self) -> None:
        self.applied = ProjectState(_StateKind.APPLIED)
        self._newest: ParsedArtifacts | None = None
        self._definition: ProjectState | None = None

    @property
    def definition(self) -> ProjectState:
        """The state that the newest manifest defines."""
        if self._definition is None:
            newest = self._newest
            self._definition = (
                ProjectState.of_run(newest, _StateKind.DEFINITION)
                if newest
                else ProjectState(_StateKind.DEFINITION)
            )
        return self._definition

    def add_run(self, artifacts: ParsedArtifacts) -> None:
        """Update both states with a run that finished after all runs added before."""
        nodes = self.applied.nodes
        if artifacts.metadata is not None:
            self._newest, self._definition = artifacts, None
            nodes = _with_definitions(nodes, artifacts)
        results = {**artifacts.results, **artifacts.freshness}
        for name in results.keys() | artifacts.catalog.keys():
            node = nodes.get(name) or _new_node(artifacts, name)
            if node is not None and (name in nodes or name in results):
                nodes[name] = _with_result(node, artifacts, results.get(name), artifacts.catalog.get(name))
        self.applied = ProjectState(_StateKind.APPLIED, nodes, artifacts)


def _with_definitions(
    nodes: Mapping[str, DiscoveryNode], artifacts: ParsedArtifacts
) -> dict[str, DiscoveryNode]:
    """Return the nodes that are still in the project, and every node that no run executes."""
    kept = {name: node for name, node in nodes.items() if name in artifacts.bodies}
    for name, body in artifacts.bodies.items():
        if RESOURCE_KINDS[body["resource_type"]] not in EXECUTABLE_KINDS:
            old = nodes.get(name) or DiscoveryNode(body, artifacts.facts)
            kept[name] = replace(old, body=body, facts=artifacts.facts)
    return kept


def _new_node(artifacts: ParsedArtifacts, name: str) -> DiscoveryNode | None:
    body = artifacts.bodies.get(name)
    return None if body is None else DiscoveryNode(body, artifacts.facts)


def _with_result(
    node: DiscoveryNode, artifacts: ParsedArtifacts, result: Result | None, catalog: CatalogEntry | None
) -> DiscoveryNode:
    """Return the node after a run.

    Its definition is that of this run if the run built it, or if no run has built it yet.
    """
    body = artifacts.bodies.get(node.unique_id)
    good = result is not None and result.good
    is_applied = body is not None and (good or node.success is None)
    return DiscoveryNode(
        body if is_applied and body is not None else node.body,
        artifacts.facts if is_applied else node.facts,
        result or node.last,
        result if good else node.success,
        (result, *node.history)[: _history_length(node)] if result else node.history,
        catalog or node.catalog,
    )


def _history_length(node: DiscoveryNode) -> int:
    return MAX_HISTORICAL_RUNS if node.kind == "Model" else 1


@dataclass(frozen=True, slots=True)
class NodeInState:
    """A node in one state of its project: the source object of a GraphQL node.

    Attributes:
        node: the node.
        state: the state that holds its parents, children and tests.
        nested: True for a node within another node, whose GraphQL type has fewer fields.
    """

    node: DiscoveryNode
    state: ProjectState
    nested: bool = False

    @property
    def type_name(self) -> str:
        """The GraphQL type of the node in its state."""
        # Kinds without an applied type have that of the definition in both states.
        kind = self.state.kind
        if kind is _StateKind.APPLIED and self.node.kind in _ONLY_DEFINED:
            kind = _StateKind.DEFINITION
        return self.node.kind + kind.value[self.nested]

    def related(self, nodes: list[DiscoveryNode]) -> "list[NodeInState]":
        """Return other nodes of the state in their nested form, within this node."""
        return [NodeInState(node, self.state, nested=True) for node in nodes]

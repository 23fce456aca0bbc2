"""The states of a project: as one run saw it, as it is defined last, as the runs have applied it."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from dbtcloud.local.discovery.nodes import EXECUTED, KINDS, Catalogued, Node, Result
from dbtcloud.local.discovery.records import RunArtifacts

MOST_HISTORICAL_RUNS = 20
"""`modelHistoricalRuns` goes no further back (dbt docs: "Uses and examples for the Discovery API")."""


class Flavour(Enum):
    """How GraphQL types of a state end: those of whole nodes, and those of nodes within others."""

    APPLIED = ("AppliedStateNode", "AppliedStateNestedNode")
    DEFINITION = ("DefinitionNode", "DefinitionNestedNode")
    JOB = ("Node", "Node")


@dataclass
class State:
    """Nodes and how they depend on one another."""

    flavour: Flavour
    nodes: dict[str, Node] = field(default_factory=dict)
    record: RunArtifacts | None = None
    _children: dict[str, list[str]] | None = field(default=None, repr=False)

    @property
    def last_updated_at(self) -> str | None:
        """When the newest artifacts behind it were written, ISO."""
        return self.record.facts.generated_at if self.record else None

    def of_kind(self, kinds: Iterable[str]) -> list[Node]:
        """Return the nodes of some kinds, sorted by their ids."""
        wanted = frozenset(kinds)
        return [self.nodes[name] for name in sorted(self.nodes) if self.nodes[name].kind in wanted]

    def parents(self, node: Node) -> list[Node]:
        """Return what a node depends on directly, macros aside."""
        names = (node.body.get("depends_on") or {}).get("nodes") or ()
        return [self.nodes[name] for name in dict.fromkeys(names) if name in self.nodes]

    def children(self, node: Node) -> list[Node]:
        """Return what depends on a node directly."""
        if self._children is None:
            self._children = {}
            for other in self.of_kind({node.kind for node in self.nodes.values()}):
                for parent in self.parents(other):
                    self._children.setdefault(parent.unique_id, []).append(other.unique_id)
        return [self.nodes[name] for name in self._children.get(node.unique_id, ())]

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Yield all that a node depends on, nearest first."""
        seen, waiting = {node.unique_id}, deque(self.parents(node))
        while waiting:
            nearest = waiting.popleft()
            if nearest.unique_id not in seen:
                seen.add(nearest.unique_id)
                yield nearest
                waiting.extend(self.parents(nearest))

    def tests(self, node: Node) -> list[Node]:
        """Return the tests of a node."""
        return [child for child in self.children(node) if child.kind == "Test"]


def state_of_run(record: RunArtifacts, flavour: Flavour = Flavour.JOB) -> State:
    """Return what one run's manifest defines, with that run's results."""
    nodes: dict[str, Node] = {}
    for name, body in record.bodies.items():
        last = record.results.get(name) or record.freshness.get(name)
        success = last if last and last.good else None
        history = (last,) if last else ()
        nodes[name] = Node(body, record.facts, last, success, history, record.catalog.get(name))
    return State(flavour, nodes, record)


class EnvironmentStates:
    """The definition and applied states of an environment, brought up to date run by run.

    The definition is the newest manifest. A model, seed, snapshot or test is applied once a run has executed
    it, as it was when it last went well; what is only declared (sources, exposures and so on) is applied as
    it is defined. What left the project has left both (dbt docs: "Project state in dbt platform").
    """

    def __init__(self) -> None:
        self.applied = State(Flavour.APPLIED)
        self._newest: RunArtifacts | None = None
        self._definition: State | None = None

    @property
    def definition(self) -> State:
        """What the newest manifest defines."""
        if self._definition is None:
            newest = self._newest
            self._definition = (
                state_of_run(newest, Flavour.DEFINITION) if newest else State(Flavour.DEFINITION)
            )
        return self._definition

    def take(self, record: RunArtifacts) -> None:
        """Bring both up to date with a run that finished after all that were taken before."""
        nodes = self.applied.nodes
        if record.metadata is not None:
            self._newest, self._definition = record, None
            nodes = _declared(nodes, record)
        results = {**record.results, **record.freshness}
        for name in results.keys() | record.catalog.keys():
            node = nodes.get(name) or _new(record, name)
            if node is not None and (name in nodes or name in results):
                nodes[name] = _after(node, record, results.get(name), record.catalog.get(name))
        self.applied = State(Flavour.APPLIED, nodes, record)


def _declared(nodes: Mapping[str, Node], record: RunArtifacts) -> dict[str, Node]:
    """The nodes that are still in the project, and all that are only declared in it."""
    declared = {name: node for name, node in nodes.items() if name in record.bodies}
    for name, body in record.bodies.items():
        if KINDS[body["resource_type"]] not in EXECUTED:
            old = nodes.get(name)
            declared[name] = replace(old, body=body, facts=record.facts) if old else Node(body, record.facts)
    return declared


def _new(record: RunArtifacts, name: str) -> Node | None:
    body = record.bodies.get(name)
    return None if body is None else Node(body, record.facts)


def _after(node: Node, record: RunArtifacts, result: Result | None, catalog: Catalogued | None) -> Node:
    """The node after a run: as this run's manifest has it, if the run built it or nothing ever did."""
    body = record.bodies.get(node.unique_id)
    good = result is not None and result.good
    settled = body is not None and (good or node.success is None)
    return Node(
        body if settled and body is not None else node.body,
        record.facts if settled else node.facts,
        result or node.last,
        result if good else node.success,
        (result, *node.history)[: _kept(node)] if result else node.history,
        catalog or node.catalog,
    )


def _kept(node: Node) -> int:
    return MOST_HISTORICAL_RUNS if node.kind == "Model" else 1


def by_parent_ids(nodes: Mapping[str, Node], node: Node) -> list[str]:
    """Return the ids of a node's direct parents that are among `nodes`."""
    names = (node.body.get("depends_on") or {}).get("nodes") or ()
    return [name for name in dict.fromkeys(names) if name in nodes]

"""A node as it is asked about: within which state, and whole or within another node."""

from dataclasses import dataclass

from dbtcloud.local.discovery.nodes import Node
from dbtcloud.local.discovery.states import Flavour, State

_DEFINED_ONLY = frozenset({"Macro", "Metric", "SemanticModel", "SavedQuery"})


@dataclass(frozen=True, slots=True)
class View:
    """A node with the state that it is part of.

    Attributes:
        node: the node.
        state: where its relatives are looked up.
        nested: whether it was reached from another node.
    """

    node: Node
    state: State
    nested: bool = False

    @property
    def type_name(self) -> str:
        """The GraphQL type; what a run never executes has the definition's type in the applied state too."""
        flavour = self.state.flavour
        if flavour is Flavour.APPLIED and self.node.kind in _DEFINED_ONLY:
            flavour = Flavour.DEFINITION
        return self.node.kind + flavour.value[self.nested]

    def beside(self, nodes: list[Node]) -> "list[View]":
        """Return relatives of the node, as they are shown within it."""
        return [View(node, self.state, nested=True) for node in nodes]

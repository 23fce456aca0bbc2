"""What a query may ask for: how long and how deep it is, and how much it makes."""

from graphql import GraphQLError, ValidationRule
from graphql.language import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from graphql.validation import ValidationContext

MOST_TOKENS = 2_000
"""A query has no more words and signs; comparing its fields with one another takes the square of that."""
MOST_DEPTH = 15
"""Fields within fields, introspection aside. dbt's own clients go to eight."""
MOST_FIELDS = 1_000_000
"""An answer has no more fields and entries of lists."""


BAD_INPUT, VALIDATION_FAILED = "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"


def refuse(message: str, code: str = BAD_INPUT) -> GraphQLError:
    """Return an error for the reader, with a code as Apollo's server gives them."""
    return GraphQLError(message, extensions={"code": code})


class TooMuch(BaseException):
    """The answer has become too large.

    It is no Exception because the executor turns every Exception into the error of one field and goes on.
    """


class Budget:
    """Counts the fields of an answer, and the entries of its lists."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, count: int = 1) -> None:
        """Count fields or entries; raises TooMuch when there were too many."""
        self._left -= count
        if self._left < 0:
            raise TooMuch


class DepthRule(ValidationRule):
    """Refuses operations whose fields lie too deep within one another."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, int] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        """Measure an operation."""
        if self._depth(node.selection_set) > MOST_DEPTH:
            self.report_error(refuse(f"The query is more than {MOST_DEPTH} fields deep.", VALIDATION_FAILED))

    def _depth(self, selected: SelectionSetNode | None) -> int:
        return max((self._depth_of(node) for node in selected.selections), default=0) if selected else 0

    def _depth_of(self, node: SelectionNode) -> int:
        if isinstance(node, FieldNode):
            return 0 if node.name.value.startswith("__") else 1 + self._depth(node.selection_set)
        if isinstance(node, InlineFragmentNode):
            return self._depth(node.selection_set)
        return self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else 0

    def _fragment(self, name: str) -> int:
        """Measure a fragment once: spread within one another they would be measured exponentially often."""
        if name not in self._fragments:
            self._fragments[name] = 0
            fragment = self.context.get_fragment(name)
            self._fragments[name] = self._depth(fragment.selection_set) if fragment else 0
        return self._fragments[name]

"""The errors of a query, and the limits of its length and its depth."""

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

MAX_TOKENS = 2_000
"""Validation compares all fields with one another, so that its time grows with the square of this."""
MAX_DEPTH = 15
"""Levels of nested fields, without introspection. dbt's own clients use eight."""

BAD_USER_INPUT, VALIDATION_FAILED = "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"


def graphql_error(message: str, code: str = BAD_USER_INPUT) -> GraphQLError:
    """Return an error with one of the error codes of Apollo Server."""
    return GraphQLError(message, extensions={"code": code})


class DepthRule(ValidationRule):
    """Rejects operations whose fields are nested too deeply."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, int] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        """Report an error if the operation is nested too deeply."""
        if self._depth(node.selection_set) > MAX_DEPTH:
            self.report_error(
                graphql_error(f"The query is more than {MAX_DEPTH} fields deep.", VALIDATION_FAILED)
            )

    def _depth(self, selected: SelectionSetNode | None) -> int:
        return max((self._depth_of(node) for node in selected.selections), default=0) if selected else 0

    def _depth_of(self, node: SelectionNode) -> int:
        if isinstance(node, FieldNode):
            return 0 if node.name.value.startswith("__") else 1 + self._depth(node.selection_set)
        if isinstance(node, InlineFragmentNode):
            return self._depth(node.selection_set)
        return self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else 0

    def _fragment(self, name: str) -> int:
        # Cached, because fragments that use one another would be measured exponentially often. The zero ends
        # the recursion of a fragment that uses itself; another rule reports that one.
        if name not in self._fragments:
            self._fragments[name] = 0
            fragment = self.context.get_fragment(name)
            self._fragments[name] = self._depth(fragment.selection_set) if fragment else 0
        return self._fragments[name]

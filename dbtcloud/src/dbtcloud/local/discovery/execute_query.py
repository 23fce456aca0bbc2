"""The execution of a GraphQL request: parse, validate, execute, and format the response."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSyntaxError,
    ValidationRule,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from graphql.validation import ValidationContext

from dbtcloud.local.discovery.field_resolvers import FIELD_RESOLVERS
from dbtcloud.local.discovery.project_state import NodeInState
from dbtcloud.local.discovery.query_limits import (
    BAD_USER_INPUT,
    MAX_DEPTH,
    MAX_TOKENS,
    VALIDATION_FAILED,
    graphql_error,
)
from dbtcloud.local.discovery.query_resolvers import QueryResolvers
from dbtcloud.local.discovery.schema import discovery_schema

_MAX_ERRORS = 20
_MAX_FIELDS = 1_000_000  # fields and list entries in one response


@dataclass(frozen=True, slots=True)
class _GraphQLRequest:
    """A GraphQL request: the text of the query, its variables, and the name of the operation."""

    query: str
    variables: Mapping[str, Any]
    operation: str | None


class _InvalidRequest(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


class _TooManyFields(BaseException):
    """The response is too large.

    This is not an Exception, because graphql-core turns every Exception into the error of one field and
    continues.
    """


class _FieldBudget:
    """The number of fields and list entries that a response may still have."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, count: int = 1) -> None:
        """Subtract fields or entries, or raise _TooManyFields if fewer are left."""
        self._left -= count
        if self._left < 0:
            raise _TooManyFields


class _DepthRule(ValidationRule):
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


def execute_query(
    body: bytes, resolvers: QueryResolvers, max_fields: int = _MAX_FIELDS
) -> tuple[int, dict[str, Any]]:
    """Execute a GraphQL request.

    Args:
        body: the body of the HTTP request.
        resolvers: the root of the query.
        max_fields: how many fields and list entries the response may have.

    Returns:
        The status and the body of the HTTP response. As in Apollo Server, on which dbt's Discovery API runs,
        the status is 400 for a request that cannot be executed. Otherwise it is 200, with `errors` if a part
        of the query failed.
    """
    try:
        request = _parse_request(body)
        document = _parse_query(request)
        return 200, _execute(request, document, resolvers, _FieldBudget(max_fields))
    except GraphQLError as error:
        return _error_response([error])
    except _InvalidRequest as invalid:
        return _error_response(invalid.errors)
    except RecursionError:
        return _error_response([graphql_error("The query is nested too deeply.", "GRAPHQL_PARSE_FAILED")])
    except _TooManyFields:
        message = f"The response has more than {max_fields:,} fields. Request fewer at once."
        return _error_response([graphql_error(message)])


def _error_response(errors: list[GraphQLError]) -> tuple[int, dict[str, Any]]:
    return 400, {"errors": [_format_error(error) for error in errors]}


def _parse_request(body: bytes) -> _GraphQLRequest:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise graphql_error(f"The body is not JSON: {error}.", "BAD_REQUEST") from None
    if not isinstance(content, dict) or not isinstance(content.get("query"), str):
        raise graphql_error('Send {"query": "…", "variables": {…}} where the query is text.', "BAD_REQUEST")
    variables, operation = content.get("variables"), content.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise graphql_error("'variables' must be an object, and 'operationName' must be text.", "BAD_REQUEST")
    return _GraphQLRequest(content["query"], variables or {}, operation)


def _parse_query(request: _GraphQLRequest) -> DocumentNode:
    try:
        document = parse(request.query, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        raise _with_code(error, "GRAPHQL_PARSE_FAILED") from None
    if errors := validate(
        discovery_schema(), document, [*specified_rules, _DepthRule], max_errors=_MAX_ERRORS
    ):
        raise _InvalidRequest([_with_code(error, VALIDATION_FAILED) for error in errors])
    return document


def _execute(
    request: _GraphQLRequest, document: DocumentNode, resolvers: QueryResolvers, budget: _FieldBudget
) -> dict[str, Any]:
    result = execute_sync(
        discovery_schema(),
        document,
        resolvers,
        budget,
        dict(request.variables),
        request.operation,
        field_resolver=_resolve_field,
        type_resolver=_resolve_type,
    )
    errors = result.errors or []
    # An error without a path is one of the whole request, such as a variable of a wrong type.
    if result.data is None and any(not error.path for error in errors):
        raise _InvalidRequest([_with_code(error, BAD_USER_INPUT) for error in errors])
    failed = {"errors": [_format_error(error) for error in errors[:_MAX_ERRORS]]} if errors else {}
    return {"data": result.data, **failed}


def _with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code}
    return error


def _resolve_field(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    info.context.spend()
    name = info.field_name
    if isinstance(source, NodeInState):
        value = FIELD_RESOLVERS[name](source, **arguments)
    else:
        value = source.get(name) if isinstance(source, dict) else getattr(source, name)
        value = value(**arguments) if callable(value) else value
    if isinstance(value, list):
        info.context.spend(len(value))
    return value


def _resolve_type(source: Any, _info: GraphQLResolveInfo[Any], _kind: Any) -> str:
    return source.type_name if isinstance(source, NodeInState) else str(source["__typename"])


def _format_error(error: GraphQLError) -> dict[str, Any]:
    extensions = error.extensions or {"code": "INTERNAL_SERVER_ERROR"}
    return {**error.formatted, "extensions": extensions}

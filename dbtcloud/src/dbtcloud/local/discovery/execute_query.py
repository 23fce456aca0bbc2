"""Execute a GraphQL request: parse, validate, execute, and format the response."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSyntaxError,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from graphql.language import DocumentNode

from dbtcloud.local.discovery.field_resolvers import FIELD_RESOLVERS
from dbtcloud.local.discovery.project_state import NodeInState
from dbtcloud.local.discovery.query_limits import (
    BAD_USER_INPUT,
    MAX_FIELDS,
    MAX_TOKENS,
    VALIDATION_FAILED,
    DepthRule,
    FieldBudget,
    TooManyFields,
    graphql_error,
)
from dbtcloud.local.discovery.query_resolvers import QueryResolvers
from dbtcloud.local.discovery.schema import discovery_schema

_MAX_ERRORS = 20
_RULES = [*specified_rules, DepthRule]


@dataclass(frozen=True, slots=True)
class GraphQLResponse:
    """A GraphQL response: the HTTP status and the body."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _GraphQLRequest:
    """A GraphQL request: the text of the query, its variables, and the name of the operation."""

    query: str
    variables: Mapping[str, Any]
    operation: str | None


def execute_query(body: bytes, resolvers: QueryResolvers, max_fields: int = MAX_FIELDS) -> GraphQLResponse:
    """Execute the GraphQL request in the body of an HTTP request.

    As in Apollo Server, on which dbt's Discovery API runs, the status is 400 for a request that cannot be
    executed. Otherwise it is 200, with `errors` if a part of the query failed.
    """
    try:
        request = _parse_request(body)
        document = _parse_query(request)
        return GraphQLResponse(200, _execute(request, document, resolvers, FieldBudget(max_fields)))
    except GraphQLError as error:
        return _error_response([error])
    except _InvalidRequest as invalid:
        return _error_response(invalid.errors)
    except RecursionError:
        return _error_response([graphql_error("The query is nested too deeply.", "GRAPHQL_PARSE_FAILED")])
    except TooManyFields:
        message = f"The response has more than {max_fields:,} fields. Request fewer at once."
        return _error_response([graphql_error(message)])


def _error_response(errors: list[GraphQLError]) -> GraphQLResponse:
    return GraphQLResponse(400, {"errors": [_format_error(error) for error in errors]})


class _InvalidRequest(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


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
    if errors := validate(discovery_schema(), document, _RULES, max_errors=_MAX_ERRORS):
        raise _InvalidRequest([_with_code(error, VALIDATION_FAILED) for error in errors])
    return document


def _execute(
    request: _GraphQLRequest, document: DocumentNode, resolvers: QueryResolvers, budget: FieldBudget
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

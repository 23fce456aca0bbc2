"""Answering a GraphQL request: reading it, checking it, executing it, and putting the answer into words."""

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

from dbtcloud.local.discovery.fields import FIELDS
from dbtcloud.local.discovery.limits import (
    BAD_INPUT,
    MOST_FIELDS,
    MOST_TOKENS,
    VALIDATION_FAILED,
    Budget,
    DepthRule,
    TooMuch,
    refuse,
)
from dbtcloud.local.discovery.questions import Questions
from dbtcloud.local.discovery.schema import discovery_schema
from dbtcloud.local.discovery.views import View

_MOST_ERRORS = 20
_RULES = [*specified_rules, DepthRule]


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer: the HTTP status and the body."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A GraphQL request: the query's text, its variables, and which operation of it is meant."""

    query: str
    variables: Mapping[str, Any]
    operation: str | None


def answer(body: bytes, questions: Questions, most_fields: int = MOST_FIELDS) -> Answer:
    """Answer a request over HTTP.

    What cannot be executed is 400, what was executed 200, with `errors` where a part of it failed: so does
    Apollo's server, on which dbt's Discovery API runs.
    """
    try:
        asked = _read(body)
        return Answer(200, _executed(asked, _checked(asked), questions, Budget(most_fields)))
    except GraphQLError as error:
        return refused([error])
    except _Invalid as invalid:
        return refused(invalid.errors)
    except RecursionError:
        return refused([refuse("The query lies too deep within itself.", "GRAPHQL_PARSE_FAILED")])
    except TooMuch:
        return refused([refuse(f"The answer has more than {most_fields:,} fields; ask for less at once.")])


def refused(errors: list[GraphQLError], status: int = 400) -> Answer:
    """Return errors without data."""
    return Answer(status, {"errors": [_written(error) for error in errors]})


class _Invalid(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


def _read(body: bytes) -> Asked:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refuse(f"The body is not JSON: {error}.", "BAD_REQUEST") from None
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise refuse('Give {"query": "…", "variables": {…}}; the query is text.', "BAD_REQUEST")
    variables, operation = request.get("variables"), request.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise refuse("'variables' is an object, 'operationName' is text.", "BAD_REQUEST")
    return Asked(request["query"], variables or {}, operation)


def _checked(asked: Asked) -> DocumentNode:
    try:
        document = parse(asked.query, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        raise _coded(error, "GRAPHQL_PARSE_FAILED") from None
    if errors := validate(discovery_schema(), document, _RULES, max_errors=_MOST_ERRORS):
        raise _Invalid([_coded(error, VALIDATION_FAILED) for error in errors])
    return document


def _executed(asked: Asked, document: DocumentNode, questions: Questions, budget: Budget) -> dict[str, Any]:
    result = execute_sync(
        discovery_schema(),
        document,
        questions,
        budget,
        dict(asked.variables),
        asked.operation,
        field_resolver=_field,
        type_resolver=_type_name,
    )
    errors = result.errors or []
    if result.data is None and any(not error.path for error in errors):
        raise _Invalid([_coded(error, BAD_INPUT) for error in errors])
    told = {"errors": [_written(error) for error in errors[:_MOST_ERRORS]]} if errors else {}
    return {"data": result.data, **told}


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code}
    return error


def _field(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    info.context.spend()
    name = info.field_name
    if isinstance(source, View):
        value = FIELDS[name](source, **arguments)
    else:
        value = source.get(name) if isinstance(source, dict) else getattr(source, name)
        value = value(**arguments) if callable(value) else value
    if isinstance(value, list):
        info.context.spend(len(value))
    return value


def _type_name(source: Any, _info: GraphQLResolveInfo[Any], _kind: Any) -> str:
    return source.type_name if isinstance(source, View) else str(source["__typename"])


def _written(error: GraphQLError) -> dict[str, Any]:
    extensions = error.extensions or {"code": "INTERNAL_SERVER_ERROR"}
    return {**error.formatted, "extensions": extensions}

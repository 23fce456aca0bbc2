"""The Discovery API: metadata of models, tests and sources by GraphQL, over the same protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbtcloud.client.errors import BadRequest, InvalidArgument, MalformedResponse
from dbtcloud.client.protocol import Call, Request, Response, ask, envelope

MOST_NODES = 500
"""A page of a connection holds no more (dbt docs: "Query the Discovery API")."""


class QueryRefused(BadRequest):
    """The Discovery API could not answer a query, or not all of it.

    Attributes:
        errors: GraphQL's own: each with a `message`, most with a `path` and a code in `extensions`.
        data: What was answered all the same, or None.
    """

    hint = "Correct the query or its variables, or see that the token's permission sets cover the metadata"

    def __init__(self, status: int, errors: list[Mapping[str, Any]], data: Any = None) -> None:
        said = "; ".join(str(error.get("message", error)) for error in errors)
        super().__init__(status, "POST", "/graphql", user_message=said)
        self.errors, self.data = errors, data


def query(text: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
    """Ask a GraphQL query and return its `data`.

    Raises:
        QueryRefused: If the answer names errors, also when it has some data; they are in `errors`.
    """
    request = Request(
        "POST", "/graphql", body={"query": text, "variables": dict(variables or {})}, service="discovery"
    )
    try:
        response = yield from ask(request)
    except BadRequest as error:
        raise QueryRefused(error.status, [{"message": error.user_message or str(error)}]) from error
    return _data(request, response)


def nodes(
    text: str, connection: str, variables: Mapping[str, Any] | None = None, *, page_size: int = MOST_NODES
) -> Call[list[dict[str, Any]]]:
    """Read all pages of a connection and return its nodes.

    Args:
        text: A query with the variables `$first: Int` and `$after: String`, used by the connection, that asks
            for `pageInfo { hasNextPage endCursor }` and `edges { node { … } }`.
        connection: Where in the answer it is, such as "environment.applied.models".
        variables: The query's other variables.
        page_size: Nodes a request, 500 at the most.

    Raises:
        InvalidArgument: If the answer has no such connection there.
        QueryRefused: As `query` does.
    """
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        data = yield from query(text, {**(variables or {}), "first": page_size, "after": after})
        page = _connection(data, connection)
        found += [edge["node"] for edge in page["edges"]]
        last, after = after, page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"] or after in (None, last):
            return found


def _data(request: Request, response: Response) -> dict[str, Any]:
    body = _body(response)
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        raise QueryRefused(
            response.status,
            [each if isinstance(each, Mapping) else {"message": each} for each in errors],
            body.get("data"),
        )
    data = envelope(request, response)["data"]
    if not isinstance(data, dict | None):
        raise MalformedResponse(f"The answer to {request} is not GraphQL's", why="Its 'data' is no object")
    return dict(data or {})


def _body(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _connection(data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    found: Any = data
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    page = found.get("pageInfo") if isinstance(found, Mapping) else None
    complete = isinstance(page, Mapping) and {"hasNextPage", "endCursor"} <= set(page) and "edges" in found
    if not complete:
        raise InvalidArgument(
            f"The answer has no connection at {path!r}",
            why="There must be pageInfo { hasNextPage endCursor } and edges { node { … } }",
            fix="Ask for both there, or correct the path",
        )
    return found  # type: ignore[no-any-return]

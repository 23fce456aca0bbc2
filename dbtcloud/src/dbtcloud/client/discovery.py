"""Calls of the Discovery API, which returns metadata of models, tests and sources by GraphQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbtcloud.client.errors import BadRequest, InvalidArgument, MalformedResponse
from dbtcloud.client.protocol import Call, Request, Response, ask

MAX_PAGE_SIZE = 500
"""Largest number of nodes in a page of a connection (dbt docs: "Query the Discovery API")."""


class QueryRefused(BadRequest):
    """The Discovery API could not answer all of a query.

    Attributes:
        errors: The errors of GraphQL: each has a `message`, most a `path` and a code in `extensions`.
        data: The part that was answered, or None.
    """

    hint = "Correct the query or its variables, or give the token a permission set that covers the metadata"

    def __init__(self, status: int, errors: list[Mapping[str, Any]], data: Any = None) -> None:
        message = "; ".join(str(error.get("message", error)) for error in errors)
        super().__init__(status, "POST", "/graphql", user_message=message)
        self.errors, self.data = errors, data


def query(text: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
    """Send a GraphQL query and return its `data`.

    Raises:
        QueryRefused: If the answer has errors, even if it also has data.
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
    text: str, connection: str, variables: Mapping[str, Any] | None = None, *, page_size: int = MAX_PAGE_SIZE
) -> Call[list[dict[str, Any]]]:
    """Return the nodes of a connection, from all its pages.

    Args:
        text: A query whose connection uses the variables `$first: Int` and `$after: String`, and asks for
            `pageInfo { hasNextPage endCursor }` and `edges { node { … } }`.
        connection: The path of the connection in the answer, such as "environment.applied.models".
        variables: The other variables of the query.
        page_size: Nodes of a page, at most 500.

    Raises:
        InvalidArgument: If the answer has no connection at that path.
        QueryRefused: If the answer has errors.
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
    data = response.envelope(request)["data"]
    if not isinstance(data, dict | None):
        raise MalformedResponse(
            f"The answer to {request} is not a GraphQL answer", why="Its 'data' is not an object"
        )
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
            why="A connection has pageInfo { hasNextPage endCursor } and edges { node { … } }",
            fix="Add both to the query, or correct the path",
        )
    return found  # type: ignore[no-any-return]

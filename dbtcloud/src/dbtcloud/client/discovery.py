"""Calls of the Discovery API, which returns metadata of models, tests and sources by GraphQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dbtcloud.client.errors import BadRequest, InvalidArgument, MalformedResponse
from dbtcloud.client.paging import MAX_PAGES
from dbtcloud.client.protocol import Call, Request, Response, T, ask_for
from dbtcloud.client.typed_json import TypedFields

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
    return (yield from _query(text, variables, lambda data: data))


def _query(text: str, variables: Mapping[str, Any] | None, read: Callable[[dict[str, Any]], T]) -> Call[T]:
    """Send a GraphQL query and return what `read` makes of its `data`."""
    request = Request(
        "POST", "/graphql", body={"query": text, "variables": dict(variables or {})}, service="discovery"
    )
    try:
        return (yield from ask_for(request, lambda response: read(_data(request, response))))
    except QueryRefused:
        raise
    except BadRequest as error:
        raise QueryRefused(error.status, [{"message": error.user_message or str(error)}]) from error


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
    cursors: list[str | None] = [None]
    while len(cursors) <= MAX_PAGES:
        page_variables = {**(variables or {}), "first": page_size, "after": cursors[-1]}
        page = yield from _query(text, page_variables, lambda data: _NodePage.parse(data, connection))
        found += page.nodes
        if page.next_cursor is None:
            return found
        if page.next_cursor in cursors:
            raise _endless(connection, "names a page that it has sent before")
        cursors.append(page.next_cursor)
    raise _endless(connection, f"has not ended after {MAX_PAGES} pages")


def _endless(connection: str, why: str) -> MalformedResponse:
    return MalformedResponse(
        f"The connection {connection!r} cannot be read to its end",
        why=f"dbt Cloud {why}",
        fix="Try again; if this persists, narrow the query by a filter",
    )


def _data(request: Request, response: Response) -> dict[str, Any]:
    errors = TypedFields(_body(response), "a GraphQL answer").sequence("errors")
    if errors:
        raise QueryRefused(
            response.status,
            [each if isinstance(each, Mapping) else {"message": each} for each in errors],
            _body(response).get("data"),
        )
    return dict(TypedFields(response.envelope(request), "a GraphQL answer").required_mapping("data"))


def _body(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class _NodePage:
    """One page of a connection.

    Attributes:
        nodes: The nodes.
        next_cursor: Where the next page begins, or None at the end.
    """

    nodes: list[dict[str, Any]]
    next_cursor: str | None

    @classmethod
    def parse(cls, data: Mapping[str, Any], connection: str) -> Self:
        """Parse the page at a path in the data of an answer.

        Raises:
            InvalidArgument: If the data has no connection at that path.
            MalformedResponse: If the connection is not as GraphQL defines it.
        """
        fields = TypedFields(_connection(data, connection), "a connection")
        info = TypedFields(fields.required_mapping("pageInfo"), "a connection")
        edges = [TypedFields(edge, "an edge") for edge in fields.required_sequence("edges")]
        cursor = info.required_text("endCursor") if info.boolean("hasNextPage") else None
        return cls([dict(edge.required_mapping("node")) for edge in edges], cursor)


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

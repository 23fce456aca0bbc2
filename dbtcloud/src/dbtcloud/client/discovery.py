"""Calls of the Discovery API, which returns metadata of models, tests and sources by GraphQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dbtcloud.client.errors import BadRequest, InvalidArgument, MalformedResponse
from dbtcloud.client.paging import MAX_PAGES
from dbtcloud.client.protocol import Call, Request, Response, T, ask_for
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.typed_json import TypedFields

_LINE_END = re.compile(r"\r\n|\n|\r")  # of GraphQL (its specification: "Line Terminators")

MAX_PAGE_SIZE = 500
"""Largest number of nodes in a page of a connection (dbt docs: "Query the Discovery API")."""


class QueryRefused(BadRequest):
    """The Discovery API could not answer all of a query.

    The message has dbt's own messages, the path of each in the answer, and the line of the query.

    Attributes:
        errors: The errors of GraphQL: each has a `message`, most a `path` and a code in `extensions`.
        data: The part that was answered, or None.
    """

    hint = "Correct the query or its variables, or give the token a permission set that covers the metadata"

    def __init__(
        self, status: int, errors: list[Mapping[str, Any]], data: Any = None, *, query: str = ""
    ) -> None:
        message = "; ".join(_described(error, query) for error in errors)
        super().__init__(status, "POST", "/graphql", user_message=message)
        self.errors, self.data = errors, data


def _described(error: Mapping[str, Any], text: str) -> str:
    """Return the message of an error of GraphQL, with its path and the line of the query."""
    path, lines = error.get("path"), _LINE_END.split(text)
    at = [f"at {'.'.join(map(str, path))}"] if isinstance(path, list) and path else []
    numbers = (number for number in _line_numbers(error) if 0 < number <= len(lines))
    at += [f"line {number} of the query: {lines[number - 1].strip()!r}" for number in numbers]
    return str(error.get("message", error)) + (f" ({', '.join(at)})" if at else "")


def _line_numbers(error: Mapping[str, Any]) -> list[int]:
    places = error.get("locations")
    lines = (
        [each.get("line") for each in places if isinstance(each, Mapping)] if isinstance(places, list) else []
    )
    return [line for line in lines if isinstance(line, int) and not isinstance(line, bool)]


def query(text: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
    """Send a GraphQL query and return its `data`.

    Raises:
        QueryRefused: If the answer has errors, even if it also has data.
    """
    return (yield from _query(text, variables, lambda data: data))


def _query(text: str, variables: Mapping[str, Any] | None, read: Callable[[dict[str, Any]], T]) -> Call[T]:
    """Send a GraphQL query and return what `read` makes of its `data`."""
    body = {"query": _checked_text(text), "variables": _checked_variables(variables)}
    request = Request("POST", "/graphql", body=body, service="discovery")
    try:
        return (yield from ask_for(request, lambda response: read(_data(request, response, text))))
    except QueryRefused:
        raise
    except BadRequest as error:
        sent = error.data if isinstance(error.data, list) else []
        errors = [each for each in sent if isinstance(each, Mapping)]
        errors = errors or [{"message": error.user_message or str(error)}]
        raise QueryRefused(error.status, errors, query=text) from error


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidArgument(f"The query is {shown_value(text)}, no text", fix="Give a GraphQL query")
    return text


def _checked_variables(variables: object) -> dict[str, Any]:
    if isinstance(variables, Mapping | None):
        return dict(variables or {})
    raise InvalidArgument(
        f"The variables of the query are {shown_value(variables)}",
        why="They have to be a dict",
        fix='Give them by name, such as {"environment": 12}',
    )


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
    pages, found = NodePages(text, connection, variables, page_size), list[dict[str, Any]]()
    while not pages.ended:
        found += yield from pages.read_next()
    return found


class NodePages:
    """The pages of a connection, which are read one after the other.

    Args:
        text: The query (see `nodes`).
        connection: The path of the connection in the answer.
        variables: The other variables of the query.
        page_size: Nodes of a page, at most 500.

    Attributes:
        ended: Whether the last page has been read.
    """

    def __init__(
        self, text: str, connection: str, variables: Mapping[str, Any] | None = None, page_size: int = 100
    ) -> None:
        self._text, self._connection = text, connection
        self._variables = {**_checked_variables(variables), "first": page_size}
        self._cursors: list[str | None] = [None]
        self.ended = False

    def read_next(self) -> Call[list[dict[str, Any]]]:
        """Read the next page and return its nodes.

        Raises:
            InvalidArgument: If the answer has no connection at the path.
            QueryRefused: If the answer has errors.
            MalformedResponse: If the pages do not end.
        """
        variables = {**self._variables, "after": self._cursors[-1]}
        page = yield from _query(self._text, variables, lambda data: _NodePage.parse(data, self._connection))
        self.ended = page.next_cursor is None
        if not self.ended and page.next_cursor in self._cursors:
            raise self._endless("names a page that it has sent before")
        self._cursors.append(page.next_cursor)
        if not self.ended and len(self._cursors) > MAX_PAGES:
            raise self._endless(f"has not ended after {MAX_PAGES} pages")
        return page.nodes

    def _endless(self, why: str) -> MalformedResponse:
        return MalformedResponse(
            f"The connection {self._connection!r} cannot be read to its end",
            why=f"dbt Cloud {why}",
            fix="Try again; if this persists, narrow the query by a filter",
        )


def _data(request: Request, response: Response, text: str) -> dict[str, Any]:
    errors = TypedFields(_body(response), "a GraphQL answer").sequence("errors")
    if errors:
        raise QueryRefused(
            response.status,
            [each if isinstance(each, Mapping) else {"message": each} for each in errors],
            _body(response).get("data"),
            query=text,
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

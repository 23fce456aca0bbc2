"""Pages of nodes: connections of the Relay specification, and the plain lists of `job`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from typing import Any

from dbtcloud.local.discovery.project_state import NodeInState
from dbtcloud.local.discovery.query_limits import graphql_error

# Limits of one page (dbt docs: "Query the Discovery API").
_MAX_NODES = 500
_MAX_JOB_NODES = 100


def connection(
    views: list[NodeInState], first: int | None = None, after: str | None = None
) -> dict[str, Any]:
    """Return one page of nodes as a Relay connection.

    Args:
        views: all nodes, in order.
        first: the size of the page. The default is 500.
        after: `endCursor` of the previous page, or None or "" for the first page.

    Raises:
        GraphQLError: the page is too large, or the cursor is not valid.
    """
    begin = _start_index(views, after)
    page = views[begin : begin + _page_size(first, _MAX_NODES)]
    edges = [{"cursor": cursor(view.node.unique_id), "node": view} for view in page]
    return {
        "edges": edges,
        "pageInfo": {
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": begin + len(page) < len(views),
            "hasPreviousPage": begin > 0,
        },
        "totalCount": len(views),
    }


def job_page(
    views: list[NodeInState], first: int | None = None, after: str | None = None
) -> list[NodeInState]:
    """Return the nodes of a job after a `paginationCursor`, or all of them if `first` is None."""
    begin = _start_index(views, after)
    return views[begin:] if first is None else views[begin : begin + _page_size(first, _MAX_JOB_NODES)]


def cursor(unique_id: str) -> str:
    """Return the cursor of a node."""
    return urlsafe_b64encode(unique_id.encode()).decode()


def _page_size(first: int | None, most: int) -> int:
    if first is None:
        return most
    if not 0 <= first <= most:
        raise graphql_error(
            f"Argument 'first' is {first}, but a page has 0 to {most} nodes. Request the others with 'after'."
        )
    return first


def _start_index(views: list[NodeInState], after: str | None) -> int:
    if not after:
        return 0
    try:
        unique_id = urlsafe_b64decode(after.encode()).decode()
    except ValueError:
        raise graphql_error(
            f"Argument 'after' is {after!r}, which is not a cursor. Use the endCursor of a page."
        ) from None
    ids = [view.node.unique_id for view in views]
    return ids.index(unique_id) + 1 if unique_id in ids else bisect_right(sorted(ids), unique_id)

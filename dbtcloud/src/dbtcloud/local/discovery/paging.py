"""Pages of nodes: connections as the Relay specification has them, and the plain lists of `job`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from typing import Any

from dbtcloud.local.discovery.limits import refuse
from dbtcloud.local.discovery.views import View

MOST_NODES = 500
"""A page of `environment` holds no more (dbt docs: "Query the Discovery API")."""
MOST_NODES_OF_A_JOB = 100
"""A page of `job` holds no more, where one is asked for."""


def connection(views: list[View], first: int | None = None, after: str | None = None) -> dict[str, Any]:
    """Return one page of nodes that are in the order of their positions.

    Args:
        views: all of them.
        first: how many, 500 unless given.
        after: `endCursor` of the page before; none or "" for the first.

    Raises:
        GraphQLError: for a page that is too large, and a cursor that is none.
    """
    begin = _place(views, after)
    page = views[begin : begin + _size(first, MOST_NODES)]
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


def part(views: list[View], first: int | None = None, after: str | None = None) -> list[View]:
    """Return the nodes of a job `after` a `paginationCursor`; all of them where `first` is not given."""
    begin = _place(views, after)
    return views[begin:] if first is None else views[begin : begin + _size(first, MOST_NODES_OF_A_JOB)]


def cursor(unique_id: str) -> str:
    """Return the cursor of a node."""
    return urlsafe_b64encode(unique_id.encode()).decode()


def _size(first: int | None, most: int) -> int:
    if first is None:
        return most
    if not 0 <= first <= most:
        raise refuse(
            f"Argument 'first' is {first}; a page holds 0 to {most} nodes: ask for the rest with 'after'."
        )
    return first


def _place(views: list[View], after: str | None) -> int:
    if not after:
        return 0
    try:
        unique_id = urlsafe_b64decode(after.encode()).decode()
    except ValueError:
        raise refuse(f"Argument 'after' is {after!r}, which is no cursor; give an endCursor.") from None
    ids = [view.node.unique_id for view in views]
    return ids.index(unique_id) + 1 if unique_id in ids else bisect_right(sorted(ids), unique_id)

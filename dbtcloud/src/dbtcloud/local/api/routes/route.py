"""One endpoint: what it answers to, what a token needs for it, and where it differs from dbt Cloud."""

from typing import NamedTuple

from aiohttp.typedefs import Handler


class Route(NamedTuple):
    """An entry of the route table.

    Attributes:
        method: GET, POST, PUT, PATCH or DELETE.
        path: with its closing slash, if dbt Cloud's has one; it is served with and without.
        handler: answers.
        needs: what of `dbtcloud.local.control.permissions` a token must have: a resource, and `read` or
            `write`; None where any token will do.
        differs: how the answer differs from dbt Cloud's; the coverage page shows it.
    """

    method: str
    path: str
    handler: Handler
    needs: tuple[str, str] | None = None
    differs: str = ""

"""The entry of an endpoint in the route table."""

from typing import NamedTuple

from aiohttp.typedefs import Handler


class Route(NamedTuple):
    """An endpoint: method, path, handler, permission, and its difference from dbt Cloud.

    Attributes:
        method: GET, POST, PUT, PATCH or DELETE.
        path: with its closing slash, if dbt Cloud's has one. It is served with and without.
        handler: the handler.
        needs: the permission that a token must have: a resource of `dbtcloud.local.control.permissions`, and
            `read` or `write`. None if any token suffices.
        differs: how it differs from dbt Cloud, for the coverage page.
    """

    method: str
    path: str
    handler: Handler
    needs: tuple[str, str] | None = None
    differs: str = ""

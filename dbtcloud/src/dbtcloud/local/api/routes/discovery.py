"""The endpoint of the Discovery API: GraphQL, at the two paths that clients use."""

from aiohttp import web

from dbtcloud.local.api.routes.route import DISCOVERY, ApiCall


async def _answer_query(call: ApiCall) -> web.Response:
    """Answer a GraphQL query about the artifacts of finished runs."""
    return await call.request.app[DISCOVERY].answer(call.request)


_NEEDS = ("metadata", "read")
_DIFFERS = (
    "Models in `modelHistoricalRuns` show their newest code; usage, column lineage, recommendations and "
    "exposures' tiles are not there."
)

ROUTES = (
    ("POST", "/graphql/", _answer_query, _NEEDS, _DIFFERS),
    ("POST", "/beta/graphql/", _answer_query, _NEEDS, _DIFFERS),
)

"""The endpoint of the Discovery API, which executes one query after another on its own thread."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.orchestration.cloud import Cloud

if TYPE_CHECKING:
    from dbtcloud.local.discovery.repository import RunRepository

# The paths of dbt's own Discovery API.
_PATHS = ("/graphql", "/beta/graphql")


class DiscoveryEndpoint:
    """Answers GraphQL queries over a local dbt Cloud.

    Args:
        cloud: the local dbt Cloud that has the runs.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._repository: RunRepository | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="discovery")

    @staticmethod
    def serves(request: web.Request) -> bool:
        """Return whether a request is for the Discovery API."""
        return request.path.rstrip("/") in _PATHS

    @staticmethod
    def error_response(status: int, message: str) -> web.Response:
        """Return a response with an error in the format of GraphQL."""
        code = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND"}.get(status, "BAD_REQUEST")
        code = "INTERNAL_SERVER_ERROR" if status >= 500 else code
        return _json_response(status, {"errors": [{"message": message, "extensions": {"code": code}}]})

    async def answer(self, request: web.Request, accounts: frozenset[int] | None = None) -> web.Response:
        """Answer a GraphQL request.

        Args:
            request: the HTTP request.
            accounts: the accounts that the caller may see, or None for all.

        Raises:
            ApiException: 501: the GraphQL library is not installed.
        """
        body, loop = await request.read(), asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._execute, body, accounts, loop)

    async def close(self, _app: web.Application) -> None:
        """End the thread after the current query."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _execute(
        self, body: bytes, accounts: frozenset[int] | None, loop: asyncio.AbstractEventLoop
    ) -> web.Response:
        # Imported here, because loading the GraphQL library takes a while and would block the event loop.
        try:
            from dbtcloud.local.discovery.execute_query import execute_query
            from dbtcloud.local.discovery.query_resolvers import QueryResolvers
            from dbtcloud.local.discovery.repository import RunRepository
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
        if self._repository is None:
            self._repository = RunRepository(self._cloud, loop)
        return _json_response(*execute_query(body, QueryResolvers(self._repository, accounts)))


def _json_response(status: int, body: object) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")


def _not_installed(error: ModuleNotFoundError) -> ApiException:
    message = (
        f"The Discovery API needs {error.name}, which is not installed. "
        "Install it with: pip install 'dbtcloud[local]'"
    )
    return ApiException(501, message)

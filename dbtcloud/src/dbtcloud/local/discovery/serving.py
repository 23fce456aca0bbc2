"""Discovery as a part of the server: one question after another, on a thread of its own."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from aiohttp import web

from dbtcloud.local.model.api_errors import Refusal
from dbtcloud.local.orchestration.cloud import Cloud

if TYPE_CHECKING:
    from dbtcloud.local.discovery.archive import Archive

PATHS = ("/graphql", "/beta/graphql")
"""Where it is served, as dbt's Discovery API is."""


class Discovery:
    """Answers GraphQL queries over a local dbt Cloud.

    Args:
        cloud: whose finished runs.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._archive: Archive | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="discovery")

    async def answer(self, request: web.Request, accounts: frozenset[int] | None = None) -> web.Response:
        """Answer a request about what is in some accounts; None for all.

        Raises:
            Refusal: 501 where the library for GraphQL is not installed.
        """
        body, loop = await request.read(), asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._answered, body, accounts, loop)

    async def close(self, _app: web.Application) -> None:
        """End the thread, once it is done with the question that it is at."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _answered(
        self, body: bytes, accounts: frozenset[int] | None, loop: asyncio.AbstractEventLoop
    ) -> web.Response:
        """Answer off the event loop, where the library is loaded with the first question."""
        try:
            from dbtcloud.local.discovery.answering import answer
            from dbtcloud.local.discovery.archive import Archive
            from dbtcloud.local.discovery.questions import Questions
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
        if self._archive is None:
            self._archive = Archive(self._cloud, loop)
        answered = answer(body, Questions(self._archive, accounts))
        return _json(answered.body, answered.status)


def is_discovery(request: web.Request) -> bool:
    """Return whether a request is for the Discovery API, which words its errors as GraphQL does."""
    return request.path.rstrip("/") in PATHS


def refused_discovery(status: int, message: str) -> web.Response:
    """Answer with an error in GraphQL's shape."""
    code = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND"}.get(status, "BAD_REQUEST")
    code = "INTERNAL_SERVER_ERROR" if status >= 500 else code
    return _json({"errors": [{"message": message, "extensions": {"code": code}}]}, status)


def _json(body: object, status: int) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")


def _not_installed(error: ModuleNotFoundError) -> Refusal:
    message = (
        f"The Discovery API takes {error.name}, which is not installed. "
        "Install it with: pip install 'dbtcloud[local]'"
    )
    return Refusal(501, message)

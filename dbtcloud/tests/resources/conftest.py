"""Both faces of the client, behind one function."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dbtcloud.client.retry import RetryPolicy
from dbtcloud.resources.base.pages import AsyncPages, Pages
from dbtcloud.resources.client import AsyncDbtCloudClient, DbtCloudClient

TOKEN = "dbtc_a-token-for-tests"
AT_ONCE = RetryPolicy(delay=0)


@pytest.fixture(autouse=True)
def _plain_environment(plain_environment: None) -> None:
    """No test of a client meets this machine's proxies and certificates."""


class Face:
    """Uses a client of one of the two kinds.

    Args:
        name: "blocking" or "awaited".
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, server: Any, use: Callable[[Any], Any], **options: Any) -> Any:
        """What `use` makes of a client of the server. Lists and iterators come as a list.

        Args:
            server: A local dbt Cloud or a raw server.
            use: Calls a method of the client; what is to be awaited is awaited here.
            options: Arguments of the client.
        """
        token = getattr(server, "token", TOKEN)
        arguments = {"token": token, "account_id": 1, "host": server.url, "retry": AT_ONCE, **options}
        if self.name == "awaited":
            return asyncio.run(_awaited(arguments, use))
        with DbtCloudClient(**arguments) as client:
            found = use(client)
            return list(found) if isinstance(found, Pages) or inspect.isgenerator(found) else found


async def _awaited(arguments: dict[str, Any], use: Callable[[Any], Any]) -> Any:
    async with AsyncDbtCloudClient(**arguments) as client:
        found = use(client)
        if isinstance(found, AsyncPages | AsyncIterator):
            return [each async for each in found]
        return await found if inspect.isawaitable(found) else found


@pytest.fixture(params=["blocking", "awaited"])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(request.param)

"""Both engines of the client, behind one function."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dbtcloud.client.protocol import Call
from dbtcloud.client.retry import RetryDecision, RetryPolicy
from dbtcloud.client.transport.async_client import AsyncClient
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.client.transport.sync_client import SyncClient

TOKEN = "dbtc_a-token-for-tests"
AT_ONCE = RetryPolicy(delay=0)


@pytest.fixture(autouse=True)
def _plain_environment(plain_environment: None) -> None:
    """No test of the client meets this machine's proxies and certificates."""


class Engine:
    """Carries out calls with one of the engines; each call over a client of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, credentials: Credentials, *calls: Call[Any], retry: RetryDecision = AT_ONCE) -> Any:
        """The result of the last of the calls, which go over one client."""
        if self.name == "sync":
            with SyncClient(credentials, retry) as client:
                return [client.ask(call) for call in calls][-1]
        return asyncio.run(self._ask(credentials, calls, retry))

    async def _ask(self, credentials: Credentials, calls: tuple[Call[Any], ...], retry: RetryDecision) -> Any:
        async with AsyncClient(credentials, retry) as client:
            return [await client.ask(call) for call in calls][-1]


@pytest.fixture(params=["sync", "aio"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def access() -> Callable[..., Credentials]:
    """Credentials for an address; keyword arguments are the transport's."""

    def make(url: str, *, token: str = TOKEN, **transport: Any) -> Credentials:
        return Credentials(base_url=url, token=token, account_id="1", transport=Transport(**transport))

    return make

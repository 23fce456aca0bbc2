"""Clients of the Discovery API that return whole answers, as prefect-dbt's metadata client does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dbtcloud.client import discovery
from dbtcloud.client.protocol import Call
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.resources.base.closeable import AsyncCloseable, Closeable
from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine, ClientOptions
from dbtcloud.resources.base.faces import Async, F, Resource, Sync, operation


class _MetadataCalls(Resource[F]):
    _new_engine: ClassVar[type[BlockingEngine | AwaitingEngine]]

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(self._new_engine(ClientOptions(credentials=credentials)))

    @operation
    def query(self, query: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
        """Send a GraphQL query and return the whole answer: `{"data": {…}}`.

        Args:
            query: The query.
            variables: Its variables.

        Raises:
            QueryRefused: If the answer has errors. `error.data` has the part that was answered.
            DbtCloudError: If the request fails.
        """
        return {"data": (yield from discovery.query(query, variables))}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._engine.options.credentials!r}>"


class MetadataClient(_MetadataCalls[Sync], Closeable):
    """A client of the Discovery API that blocks. It may be used in a `with` block.

    Args:
        credentials: The address and the token.
    """

    _new_engine = BlockingEngine


class AsyncMetadataClient(_MetadataCalls[Async], AsyncCloseable):
    """The same client for an event loop: its calls are awaited.

    Args:
        credentials: The address and the token.
    """

    _new_engine = AwaitingEngine

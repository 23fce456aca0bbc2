"""How a client ends: by `close()`, or at the end of a `with` block."""

from __future__ import annotations

from typing import Self

from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine
from dbtcloud.resources.base.faces import Async, Resource, Sync


class Closeable(Resource[Sync]):
    """A resource that owns its connections."""

    _engine: BlockingEngine

    def close(self) -> None:
        """Close the connections. Later calls raise ClientClosed."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncCloseable(Resource[Async]):
    """A resource that owns its connections on an event loop."""

    _engine: AwaitingEngine

    async def close(self) -> None:
        """Close the connections. Later calls raise ClientClosed."""
        await self._engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

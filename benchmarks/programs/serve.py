"""Serves a local dbt Cloud behind TLS until its standard input ends: `python serve.py '{"port": 0, …}'`."""

import asyncio
import json
import resource
import ssl
import sys
from pathlib import Path
from typing import Any

from dbtcloud.local.server.serve import RunningServer
from dbtcloud.local.server.settings import ServerSettings


def settings(told: dict[str, Any]) -> ServerSettings:
    """What the server is told, with the certificate as an SSL context."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(told.pop("certificate"))
    folder = Path(told.pop("folder"))
    return ServerSettings(store=str(folder / "store.sqlite"), data_dir=folder, ssl_context=context, **told)


async def main(told: dict[str, Any]) -> None:
    """Serve, say where, and end when whoever started this says so or is gone."""
    async with RunningServer.serve(settings(told)) as served:
        print(served.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    asyncio.run(main(json.loads(sys.argv[1])))

"""Serves artifacts of any size behind TLS until its standard input ends: as much of dbt Cloud as they need.

`sized-1024.bin` has so many MiB, `manifest-200.json` is a manifest of at least so many, `late-3.json` comes
after `LATENCY` seconds. Nothing is read from a disk, so that what is measured is the client.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Iterator
from typing import Any

from aiohttp import web

LATENCY = 0.2
MEBIBYTE = 1024 * 1024
PIECE = bytes(range(256)) * (MEBIBYTE // 256)


async def artifact(request: web.Request) -> web.StreamResponse:
    """Answer with the artifact that the name describes."""
    kind, _, size = request.match_info["name"].partition(".")[0].partition("-")
    if kind == "late":
        await asyncio.sleep(LATENCY)
        return web.json_response({"results": []})
    pieces, length = (binary if kind == "sized" else manifest)(int(size))
    answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    answer.content_length = length
    await answer.prepare(request)
    for piece in pieces:
        await answer.write(piece)
    return answer


def binary(mebibytes: int) -> tuple[Iterator[bytes], int]:
    """Bytes of all values, and how many."""
    return (PIECE for _ in range(mebibytes)), mebibytes * MEBIBYTE


def manifest(mebibytes: int) -> tuple[Iterator[bytes], int]:
    """A manifest of models as dbt writes them, some 80 KiB at a time, and its length."""
    head, tail = b'{"metadata": {"dbt_version": "1.10.1"}, "nodes": {', b'"last": {}}, "sources": {}}'
    batch = "".join(f'"model.shop.m%07d_{index}": {json.dumps(model())}, ' for index in range(10)).encode()
    size = len(batch % ((0,) * 10))
    count = mebibytes * MEBIBYTE // size + 1

    def pieces() -> Iterator[bytes]:
        yield head
        for number in range(count):
            yield batch % ((number,) * 10)
        yield tail

    return pieces(), len(head) + count * size + len(tail)


def model() -> dict[str, Any]:
    """A node of about 8 KiB: code, columns, configuration, dependencies."""
    columns = {
        f"column_{index}": {"name": f"column_{index}", "description": "What it holds", "meta": {}, "tags": []}
        for index in range(30)
    }
    code = "select\n" + "\n".join(f"  coalesce(column_{index}, 0) as column_{index}," for index in range(40))
    return {
        "database": "warehouse",
        "schema": "prod",
        "resource_type": "model",
        "package_name": "shop",
        "original_file_path": "models/marts/orders.sql",
        "config": {"materialized": "table", "tags": ["nightly"], "meta": {}, "enabled": True},
        "columns": columns,
        "depends_on": {"macros": ["macro.dbt.run_query"], "nodes": ["model.shop.customers"]},
        "raw_code": code,
        "compiled_code": code,
        "created_at": 1795208404.449102,
    }


async def main(told: dict[str, Any]) -> None:
    """Serve, say where, and end when whoever started this says so or is gone."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(told["certificate"])
    app = web.Application()
    app.add_routes([web.get("/api/v2/accounts/{account}/runs/{run}/artifacts/{name}", artifact)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", told["port"], ssl_context=context)
    await site.start()
    print(f"https://localhost:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

"""The hook, the blocking client and the asynchronous client put the same bytes on the wire."""

import asyncio

import pytest

from dbtcloud.client.transport.async_client import AsyncClient
from dbtcloud.client.transport.sync_client import SyncClient
from wires.calls import EACH
from wires.raw import answer, envelope

ALIKE = ("host", "authorization", "accept", "content-type", "content-length", "user-agent")


@pytest.mark.parametrize("case", EACH)
def test_a_call_is_the_same_whoever_carries_it(connect, raw_server, case):
    raw_server.reply = answer(envelope(case.data))
    hook = connect(host=raw_server.url)
    hook._call(case.call())
    with SyncClient(hook._credentials) as client:
        client.ask(case.call())

    async def on_a_loop():
        async with AsyncClient(hook._credentials) as client:
            await client.ask(case.call())

    asyncio.run(on_a_loop())
    sent = [
        (each.line, [each.headers.get(name) for name in ALIKE], each.body) for each in raw_server.received
    ]
    assert sent[0] == sent[1] == sent[2]
    assert sent[0][0] == f"{case.method} {case.target} HTTP/1.1"
    assert len(sent) == 3

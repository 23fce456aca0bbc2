"""A forward proxy that asks for a name and a password, and may lead any host name to this machine."""

import asyncio
import base64
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Seen:
    """What the proxy was asked for, as `CONNECT host:port` or `GET url`, and whom it sent away."""

    let_through: list[str] = field(default_factory=list)
    sent_away: list[str] = field(default_factory=list)


class Proxy:
    """Lets through who knows the name and the password.

    Args:
        hosts: Where names lead that are not real: `{"ab123.us1.dbt.com": ("127.0.0.1", 8443)}`.
    """

    user, password = "proxy-user", "proxy-p@ssword"

    def __init__(self, hosts: dict[str, tuple[str, int]] | None = None) -> None:
        self.hosts = hosts or {}
        self.seen = Seen()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """The proxy's address, with name and password as URLs carry them."""
        return f"http://{self.user}:{self.password.replace('@', '%40')}@127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _ = head.split("\r\n")[0].split(" ")
            await (self._let_through if self._knows(head) else self._send_away)(
                method, target, head, writer, reader
            )
        writer.close()

    def _knows(self, head: str) -> bool:
        word = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return f"proxy-authorization: basic {word}".lower() in head.lower()

    async def _send_away(self, method, target, head, writer, reader) -> None:
        self.seen.sent_away.append(f"{method} {target}")
        writer.write(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()

    async def _let_through(self, method, target, head, writer, reader) -> None:
        self.seen.let_through.append(f"{method} {target}")
        place = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host = self.hosts.get(place.hostname, (place.hostname, place.port or 80))
        inner, outer = await asyncio.open_connection(*host)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = target.partition(place.netloc)[2]
            outer.write(head.replace(target, path, 1).encode("latin-1"))
        await asyncio.gather(_pipe(reader, outer), _pipe(inner, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()

"""The engine for an event loop: drives a call, and a client that carries it over aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import TOLERANT, Decision, insist
from dbtcloud.client.transport import certificates
from dbtcloud.client.transport.blocking import CERTIFICATE_HINT, CHUNK, NETWORK_HINT, broken_off
from dbtcloud.client.transport.content_encoding import (
    WINDOW,
    Undecodable,
    check_coding,
    is_gzip,
    tells_its_end,
)
from dbtcloud.client.transport.gzip_body import UnpackingSink, body_of
from dbtcloud.client.transport.proxies import proxy_for

if TYPE_CHECKING:
    import aiohttp

    from dbtcloud.client.transport.credentials import Credentials


async def drive(
    call: Call[T],
    send: Callable[[Request], Awaitable[Response]],
    *,
    decision: Decision = TOLERANT,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    seen: Callable[[Response], object] = bool,
) -> T:
    """Carry out a call: `send` its requests, take its pauses, return its result or raise its error."""
    steps = insist(call, decision, seen)
    answer: Response | None = None
    error: DbtCloudError | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = error = None
        if isinstance(step, Sleep):
            await sleep(step.seconds)
            continue
        try:
            answer = await send(step)
        except DbtCloudError as raised:
            error = raised


class Client:
    """Speaks to one account over a kept aiohttp session; an asynchronous context manager.

    Args:
        credentials: Address, token and transport.
        decision: How long one request is insisted on.
        connections: How many connections are open at the most.
    """

    def __init__(
        self, credentials: Credentials, decision: Decision = TOLERANT, *, connections: int = 10
    ) -> None:
        self.credentials = credentials
        self.decision = decision
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, call: Call[T], seen: Callable[[Response], object] = bool) -> T:
        """Carry out a call; `seen` is told of each answer.

        Raises:
            DbtCloudError: As the call says.
        """
        return await drive(call, self.send, decision=self.decision, seen=seen)

    async def ask_all(self, calls: Iterable[Call[T]]) -> list[T]:
        """Carry out calls at the same time; their results in the same order.

        Raises:
            DbtCloudError: As the first call that fails says; the others are given up.
        """
        tasks = [asyncio.create_task(self.ask(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def send(self, request: Request) -> Response:
        """Send one request once.

        Raises:
            TransportError: If there is no whole answer.
            MalformedResponse: If it is encoded in a way that was not asked for.
        """
        import aiohttp

        try:
            return await self._request(request)
        except Undecodable as error:
            raise broken_off(str(error), self.credentials) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._silence(error) from self.credentials.showable(error)

    async def _request(self, request: Request) -> Response:
        from yarl import URL

        url = URL(self.credentials.url(request), encoded=True)
        async with self.session.request(
            request.method,
            url,
            data=request.content,
            headers=self.credentials.headers(request),
            proxy=proxy_for(str(url), self.credentials.transport),
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
            read_bufsize=CHUNK,
        ) as raw:
            check_coding(raw.status, raw.headers, self.credentials)
            if request.sink is not None and raw.status == 200:
                body = await _poured(raw, request.sink, self.credentials)
                return self.credentials.response(200, raw.headers, body, raw)
            return self.credentials.response(raw.status, raw.headers, await _body(raw), raw)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened with the first request."""
        if self._session is None:
            self._session = _new_session(self.credentials, self._connections)
        return self._session

    def _silence(self, error: Exception) -> TransportError:
        import aiohttp

        unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
        certificate = isinstance(error, aiohttp.ClientSSLError) and "CERTIFICATE" in str(error)
        return TransportError(
            f"No answer came from {self.credentials.base_url}",
            sent=not (certificate or isinstance(error, unsent)),
            why=self.credentials.mask(f"{type(error).__name__}: {error}"),
            fix=CERTIFICATE_HINT if certificate else NETWORK_HINT,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session, if one was opened."""
        if self._session is not None:
            await self._session.close()


async def _body(raw: aiohttp.ClientResponse) -> bytes:
    """The body, gzip undone; what is large is unpacked in a thread."""
    body = await raw.read()
    if not is_gzip(raw.headers):
        return body
    if len(body) < WINDOW:
        return body_of(body, whole=raw.status == 200)
    return await asyncio.to_thread(body_of, body, whole=raw.status == 200)


async def _poured(raw: aiohttp.ClientResponse, sink: Sink, credentials: Credentials) -> bytes:
    """Hand a body over as it arrives, in a thread, since sinks write; what is left of it is nothing."""
    import aiohttp

    if is_gzip(raw.headers):
        sink = UnpackingSink(sink)
    await asyncio.to_thread(sink.begin, tells_its_end=tells_its_end(raw.headers))
    try:
        async for piece in _pieces(raw):
            await asyncio.to_thread(sink.write, piece)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = f"{type(error).__name__}: {error}"
        raise broken_off(why, credentials) from credentials.showable(error)
    await asyncio.to_thread(sink.end)
    return b""


async def _pieces(raw: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body in pieces of `CHUNK` bytes: TLS brings far smaller ones, and each costs a way to a thread."""
    gathered = bytearray()
    async for part in raw.content.iter_any():
        gathered += part
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _new_session(credentials: Credentials, connections: int) -> aiohttp.ClientSession:
    import aiohttp

    transport = credentials.transport
    limits = aiohttp.ClientTimeout(total=None, sock_connect=transport.timeout, sock_read=transport.timeout)
    connector = aiohttp.TCPConnector(ssl=certificates.context(transport), limit=connections)
    return aiohttp.ClientSession(
        connector=connector, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )

"""The engine for an event loop: it carries out calls with aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import DEFAULT_RETRY, Execution, RetryDecision
from dbtcloud.client.transport.content_encoding import (
    CHUNK_SIZE,
    INPUT_SIZE,
    BodyEncoding,
    GzipDecoder,
    GzipError,
)

if TYPE_CHECKING:
    import aiohttp

    from dbtcloud.client.transport.credentials import Credentials


async def run_call_async(
    call: Call[T],
    send: Callable[[Request], Awaitable[Response]],
    *,
    retry: RetryDecision = DEFAULT_RETRY,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_response: Callable[[Response], object] = bool,
) -> T:
    """Carry out a call and return its result, as `run_call` does.

    Raises:
        DbtCloudError: If the call fails.
    """
    execution = Execution(call, retry, on_response)
    outcome: Response | DbtCloudError | None = None
    while (step := execution.next_step(outcome)) is not None:
        outcome = None
        if isinstance(step, Sleep):
            await sleep(step.seconds)
            continue
        try:
            outcome = await send(step)
        except DbtCloudError as error:
            outcome = error
    return execution.result


class AsyncClient:
    """A client of one account for an event loop, with a session of aiohttp.

    It is an asynchronous context manager.

    Args:
        credentials: Address, token and network settings.
        retry: Decides whether a failed request is sent again.
        connections: Largest number of open connections.
    """

    def __init__(
        self, credentials: Credentials, retry: RetryDecision = DEFAULT_RETRY, *, connections: int = 10
    ) -> None:
        self.credentials = credentials
        self.retry = retry
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, call: Call[T], on_response: Callable[[Response], object] = bool) -> T:
        """Carry out a call and return its result.

        Args:
            call: The call.
            on_response: Called with each response that the call receives.

        Raises:
            DbtCloudError: If the call fails.
        """
        return await run_call_async(call, self.send, retry=self.retry, on_response=on_response)

    async def ask_all(self, calls: Iterable[Call[T]]) -> list[T]:
        """Carry out calls at the same time and return their results in the same order.

        Raises:
            DbtCloudError: If a call fails. The others are cancelled then.
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
            TransportError: If no complete response arrives.
            MalformedResponse: If the response has an encoding that was not asked for.
        """
        import aiohttp

        try:
            return await self._request(request)
        except GzipError as error:
            raise self.credentials.interrupted_error(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport_error(error, self.credentials) from self.credentials.safe_cause(error)

    async def _request(self, request: Request) -> Response:
        from yarl import URL

        url = URL(self.credentials.url(request), encoded=True)
        async with self.session.request(
            request.method,
            url,
            data=request.content,
            headers=self.credentials.headers(request),
            proxy=self.credentials.transport.proxy_for(str(url)),
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
            read_bufsize=CHUNK_SIZE,
        ) as raw:
            self.credentials.check_encoding(raw.status, raw.headers)
            if request.sink is not None and raw.status == 200:
                await _stream_to_sink(raw, request.sink, self.credentials)
                return self.credentials.response(200, raw.headers, b"", raw)
            return self.credentials.response(raw.status, raw.headers, await _read_body(raw), raw)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, which the first request opens."""
        if self._session is None:
            self._session = _new_session(self.credentials, self._connections)
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session if it is open."""
        if self._session is not None:
            await self._session.close()


def _new_session(credentials: Credentials, connections: int) -> aiohttp.ClientSession:
    import aiohttp

    transport = credentials.transport
    limits = aiohttp.ClientTimeout(total=None, sock_connect=transport.timeout, sock_read=transport.timeout)
    connector = aiohttp.TCPConnector(ssl=transport.ssl_context(), limit=connections)
    return aiohttp.ClientSession(
        connector=connector, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


async def _read_body(raw: aiohttp.ClientResponse) -> bytes:
    body = await raw.read()
    if not BodyEncoding(raw.headers).is_gzip:
        return body
    must_be_whole = raw.status == 200
    if len(body) < INPUT_SIZE:
        return GzipDecoder.decompress_body(body, must_be_whole=must_be_whole)
    # Decompressing a large body would block the event loop.
    return await asyncio.to_thread(GzipDecoder.decompress_body, body, must_be_whole=must_be_whole)


async def _stream_to_sink(raw: aiohttp.ClientResponse, sink: Sink, credentials: Credentials) -> None:
    """Pass a body to a sink as it arrives, in a thread, because sinks write files."""
    import aiohttp

    encoding = BodyEncoding(raw.headers)
    if encoding.is_gzip:
        sink = _GzipSink(sink)
    await asyncio.to_thread(sink.begin, has_known_end=encoding.has_known_end)
    try:
        async for chunk in _chunks(raw):
            await asyncio.to_thread(sink.write, chunk)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = f"{type(error).__name__}: {error}"
        raise credentials.interrupted_error(why) from credentials.safe_cause(error)
    await asyncio.to_thread(sink.end)


class _GzipSink:
    """A sink for gzip that passes the decompressed bytes to another sink.

    Args:
        sink: The other sink.

    Raises:
        GzipError: From `write` and `end`, if the body is damaged or incomplete.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink, self._decoder = sink, GzipDecoder()

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start a new body (see `Sink`)."""
        self._decoder = GzipDecoder()
        self._sink.begin(has_known_end=has_known_end)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        for plain in self._decoder.decode(chunk):
            self._sink.write(plain)

    def end(self) -> None:
        """Finish the body (see `Sink`)."""
        self._decoder.finish()
        self._sink.end()


async def _chunks(raw: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Read the body in chunks of about `CHUNK_SIZE` bytes."""
    # TLS delivers far smaller chunks, and each one would cost a switch to a thread.
    gathered = bytearray()
    async for part in raw.content.iter_any():
        gathered += part
        if len(gathered) >= CHUNK_SIZE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _transport_error(error: Exception, credentials: Credentials) -> TransportError:
    import aiohttp

    unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
    return credentials.no_response_error(
        f"{type(error).__name__}: {error}",
        sent=not isinstance(error, unsent),
        certificate=isinstance(error, aiohttp.ClientSSLError) and "CERTIFICATE" in str(error),
    )

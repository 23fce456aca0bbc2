"""The engine for an event loop: it carries out calls with aiohttp."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, closing
from typing import TYPE_CHECKING, Any, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import DEFAULT_RETRY, Execution, RetryDecision
from dbtcloud.client.transport.artifact_checks import CheckedSink
from dbtcloud.client.transport.content_encoding import (
    CHUNK_SIZE,
    INPUT_SIZE,
    BodyEncoding,
    BodyLimit,
    GzipDecoder,
    GzipError,
)
from dbtcloud.client.transport.time_limit import (
    AnswerDeadline,
    retry_within_limit,
    seconds_left,
    too_late,
    too_slow,
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
    with closing(Execution(call, retry_within_limit(retry), on_response)) as execution:
        outcome: Response | DbtCloudError | None = None
        while (step := execution.next_step(outcome)) is not None:
            outcome = None
            if isinstance(step, Sleep):
                await sleep(max(0.0, min(step.seconds, seconds_left())))
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
        # aiohttp would count the wait for a free connection towards the time of the answer.
        self._slots = asyncio.Semaphore(connections)
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
            TransportError: If no complete response arrives in time.
            MalformedResponse: If the response cannot be an answer to it, or is too large.
            ArtifactError: If an artifact is too large.
        """
        import aiohttp

        if seconds_left() <= 0:
            raise self.credentials.no_response_error("The time for all requests was over", sent=False)
        progress = _Progress()
        try:
            async with self._slots:
                return await self._request(request, progress)
        except GzipError as error:
            raise self.credentials.interrupted_error(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport_error(error, self.credentials, progress) from self.credentials.safe_cause(error)

    async def _request(self, request: Request, progress: _Progress) -> Response:
        session = self.session  # to make one takes some of the time
        deadline = AnswerDeadline(self.credentials.transport.timeout, streamed=request.sink is not None)
        progress.seconds = deadline.seconds
        async with asyncio.timeout(_finite(deadline.seconds_left())) as time_limit:
            async with self._open(session, request, progress) as raw:
                self.credentials.check_head(request, raw.status, raw.headers)
                limit = self.credentials.transport.body_limit(is_file=request.is_file)
                if request.sink is None or raw.status != 200:
                    body = await _read_body(raw, limit)
                    return self.credentials.response(request, raw.status, raw.headers, body, raw)
                time_limit.reschedule(None)
                deadline.start_body()
                sink = CheckedSink(request.sink, request)
                await _stream_to_sink(raw, sink, limit, deadline, self.credentials)
                return self.credentials.response(request, 200, raw.headers, b"", raw)

    def _open(
        self, session: aiohttp.ClientSession, request: Request, progress: _Progress
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        from yarl import URL

        url = URL(self.credentials.url(request), encoded=True)
        return session.request(
            request.method,
            url,
            data=request.content,
            headers=self.credentials.headers(request),
            proxy=self.credentials.transport.proxy_for(str(url)),
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
            read_bufsize=CHUNK_SIZE,
            trace_request_ctx=progress,
        )

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


class _Progress:
    """What is known of one request.

    Attributes:
        seconds: How long its answer may take.
        sent: Whether a byte of it may have been sent.
    """

    seconds = 0.0
    sent = False

    @staticmethod
    async def note_sent(_session: object, context: Any, _params: object) -> None:
        """Note that the headers are sent now. This is a trace callback of aiohttp."""
        context.trace_request_ctx.sent = True


def _new_session(credentials: Credentials, connections: int) -> aiohttp.ClientSession:
    import aiohttp

    connector = aiohttp.TCPConnector(ssl=credentials.transport.ssl_context(), limit=connections)
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_Progress.note_sent)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trace_configs=[trace],
    )


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds


async def _read_body(raw: aiohttp.ClientResponse, limit: BodyLimit) -> bytes:
    """Read a body into memory. That of an error response need not be whole, since its status counts."""
    encoding, must_be_whole = BodyEncoding(raw.headers), raw.status == 200
    body = bytearray()
    count = limit.add_received if encoding.is_gzip else limit.add
    try:
        async for part in raw.content.iter_any():
            count(part)
            body += part
    except DbtCloudError:
        if must_be_whole:
            raise
        raw.close()
    if not encoding.is_gzip:
        return bytes(body)
    if len(body) < INPUT_SIZE:
        return _decompress(body, limit, must_be_whole=must_be_whole)
    # Decompressing a large body would block the event loop.
    return await asyncio.to_thread(_decompress, body, limit, must_be_whole=must_be_whole)


def _decompress(body: bytearray, limit: BodyLimit, *, must_be_whole: bool) -> bytes:
    plain = bytearray()
    try:
        for chunk in GzipDecoder.decompress([bytes(body)], limit):
            plain += chunk
    except (GzipError, DbtCloudError):
        if must_be_whole:
            raise
    return bytes(plain)


async def _stream_to_sink(
    raw: aiohttp.ClientResponse,
    sink: Sink,
    limit: BodyLimit,
    deadline: AnswerDeadline,
    credentials: Credentials,
) -> None:
    """Pass a body to a sink as it arrives, in a thread, because sinks write files."""
    import aiohttp

    encoding = BodyEncoding(raw.headers)
    sink = _GzipSink(sink, limit) if encoding.is_gzip else _PlainSink(sink, limit)
    await asyncio.to_thread(sink.begin, has_known_end=encoding.has_known_end)
    try:
        async for chunk in _chunks(raw, deadline):
            await asyncio.to_thread(sink.write, chunk)
    except TimeoutError as error:
        raise credentials.interrupted_error(too_slow(deadline.seconds)) from error
    except (aiohttp.ClientError, OSError) as error:
        why = f"{type(error).__name__}: {error}"
        raise credentials.interrupted_error(why) from credentials.safe_cause(error)
    await asyncio.to_thread(sink.end)


class _PlainSink:
    """A sink that passes a body to another sink, up to a limit.

    Args:
        sink: The other sink.
        limit: The limits of the body's size.
    """

    def __init__(self, sink: Sink, limit: BodyLimit) -> None:
        self._sink, self._limit = sink, limit

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start the body (see `Sink`)."""
        self._sink.begin(has_known_end=has_known_end)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        self._sink.write(self._limit.add(chunk))

    def end(self) -> None:
        """Finish the body (see `Sink`)."""
        self._sink.end()


class _GzipSink(_PlainSink):
    """The same for a body that is gzip, which it decompresses.

    Raises:
        GzipError: From `write` and `end`, if the body is damaged or incomplete.
    """

    def __init__(self, sink: Sink, limit: BodyLimit) -> None:
        super().__init__(sink, limit)
        self._decoder = GzipDecoder(limit)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        for plain in self._decoder.decode(chunk):
            self._sink.write(plain)

    def end(self) -> None:
        """Finish the body (see `Sink`)."""
        self._decoder.finish()
        self._sink.end()


async def _chunks(raw: aiohttp.ClientResponse, deadline: AnswerDeadline) -> AsyncIterator[bytes]:
    """Read the body in chunks of about `CHUNK_SIZE` bytes."""
    # TLS delivers far smaller chunks, and each one would cost a switch to a thread.
    gathered = bytearray()
    while part := await _next_part(raw, deadline):
        gathered += part
        if len(gathered) >= CHUNK_SIZE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _next_part(raw: aiohttp.ClientResponse, deadline: AnswerDeadline) -> bytes:
    """Return what has arrived, or wait for more, or return nothing at the end."""
    began = time.monotonic()
    async with asyncio.timeout(_finite(deadline.seconds_left())):
        part = await raw.content.readany()
    deadline.add(len(part), time.monotonic() - began)
    return part


def _transport_error(error: Exception, credentials: Credentials, progress: _Progress) -> TransportError:
    import aiohttp

    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
        return credentials.no_response_error(too_late(progress.seconds), sent=progress.sent)
    return credentials.no_response_error(
        f"{type(error).__name__}: {error}",
        sent=progress.sent,
        certificate=isinstance(error, aiohttp.ClientSSLError) and "CERTIFICATE" in str(error),
    )

"""The blocking engine: it carries out calls with requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import DEFAULT_RETRY, Execution, RetryDecision
from dbtcloud.client.transport.artifact_checks import CheckedSink
from dbtcloud.client.transport.content_encoding import CHUNK_SIZE, BodyEncoding
from dbtcloud.client.transport.time_limit import (
    answer_seconds,
    retry_within_limit,
    seconds_left,
    too_late,
    too_slow,
)

if TYPE_CHECKING:
    import requests

    from dbtcloud.client.transport.credentials import Credentials

_NO_TUNNEL = "Tunnel connection failed"
"""The beginning of the message of Python's http.client on a proxy that opens no tunnel."""


def run_call(
    call: Call[T],
    send: Callable[[Request], Response],
    *,
    retry: RetryDecision = DEFAULT_RETRY,
    sleep: Callable[[float], None] | None = None,
    on_response: Callable[[Response], object] = bool,
) -> T:
    """Carry out a call and return its result.

    A `time_limit` also bounds the pauses of the call, and the attempts of each request.

    Args:
        call: The call.
        send: Sends one request.
        retry: Decides whether a failed request is sent again.
        sleep: Waits for a number of seconds; `time.sleep` if None.
        on_response: Called with each response that the call receives.

    Raises:
        DbtCloudError: If the call fails.
    """
    with closing(Execution(call, retry_within_limit(retry), on_response)) as execution:
        outcome: Response | DbtCloudError | None = None
        while (step := execution.next_step(outcome)) is not None:
            outcome = None
            if isinstance(step, Sleep):
                pause = max(0.0, min(step.seconds, seconds_left()))
                (sleep or time.sleep)(pause)  # looked up here, so that tests can replace time.sleep
                continue
            try:
                outcome = send(step)
            except DbtCloudError as error:
                outcome = error
        return execution.result


class SyncClient:
    """A client of one account that blocks, with a session of requests. It is a context manager.

    Threads may share it: the session keeps no cookies, follows no redirects and is never changed.

    Args:
        credentials: Address, token and network settings.
        retry: Decides whether a failed request is sent again.
    """

    def __init__(self, credentials: Credentials, retry: RetryDecision = DEFAULT_RETRY) -> None:
        self.credentials = credentials
        self.retry = retry
        self._lock = threading.Lock()
        self._session: requests.Session | None = None

    @property
    def session(self) -> requests.Session:
        """The session, which the first request opens."""
        from dbtcloud.client.transport.requests_session import new_session

        with self._lock:
            if self._session is None:
                self._session = new_session(self.credentials.transport)
            return self._session

    def ask(self, call: Call[T]) -> T:
        """Carry out a call and return its result.

        Raises:
            DbtCloudError: If the call fails.
        """
        return run_call(call, self.send, retry=self.retry)

    def send(self, request: Request) -> Response:
        """Send one request once.

        Raises:
            TransportError: If no complete response arrives in time.
            MalformedResponse: If the response cannot be an answer to it, or is too large.
            ArtifactError: If an artifact is too large.
        """
        return send_with_requests(self.credentials, request, lambda: self._request(request))

    def _request(self, request: Request) -> requests.Response:
        url = self.credentials.url(request)
        return self.session.request(
            request.method,
            url,
            data=request.content,
            headers=self.credentials.headers(request),
            timeout=self.credentials.transport.timeout,
            allow_redirects=False,
            proxies=self.credentials.transport.requests_proxies(url),
            stream=request.sink is not None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the session if it is open."""
        if self._session is not None:
            self._session.close()


def send_with_requests(
    credentials: Credentials, request: Request, send: Callable[[], requests.Response]
) -> Response:
    """Send a request with requests, and translate its response or its error.

    Args:
        credentials: The credentials of the account.
        request: The request.
        send: Sends it. If there is a sink, it does not read the body (`stream=True`).

    Raises:
        TransportError: If no complete response arrives in time.
        MalformedResponse: If the response cannot be an answer to it, or is too large.
        ArtifactError: If an artifact is too large.
    """
    import requests

    seconds = answer_seconds(credentials.transport.timeout)
    if seconds <= 0:
        raise credentials.no_response_error("The time for all requests was over", sent=False)
    try:
        return _read(send(), request, credentials, seconds)
    except requests.exceptions.ContentDecodingError as error:
        raise credentials.interrupted_error(str(error)) from credentials.safe_cause(error)
    except (requests.RequestException, OSError) as error:
        raise _transport_error(error, credentials, seconds) from credentials.safe_cause(error)


def _read(raw: requests.Response, request: Request, credentials: Credentials, seconds: float) -> Response:
    try:
        credentials.check_head(request, raw.status_code, raw.headers)
        if request.sink is None or raw.status_code != 200:
            return credentials.response(request, raw.status_code, raw.headers, raw.content, raw)
        _stream_to_sink(raw, CheckedSink(request.sink, request), credentials, seconds)
        return credentials.response(request, 200, raw.headers, b"", raw)
    finally:
        if request.sink is not None:
            raw.close()  # its body may not have been read


def _stream_to_sink(raw: requests.Response, sink: Sink, credentials: Credentials, seconds: float) -> None:
    import requests

    try:
        sink.begin(has_known_end=BodyEncoding(raw.headers).has_known_end)
        for chunk in raw.iter_content(CHUNK_SIZE):
            sink.write(chunk)
    except (requests.RequestException, OSError) as error:
        why = too_slow(seconds) if _is_timeout(error) else str(_reason(error))
        raise credentials.interrupted_error(why) from credentials.safe_cause(error)
    # Older releases of urllib3 do not notice a body that is shorter than its Content-Length.
    length, received = raw.headers.get("Content-Length", ""), raw.raw.tell()
    if length.isdigit() and int(length) != received:
        raise credentials.interrupted_error(f"{received} of {length} bytes arrived")
    sink.end()


def _transport_error(error: Exception, credentials: Credentials, seconds: float) -> TransportError:
    import requests

    return credentials.no_response_error(
        too_late(seconds) if _is_timeout(error) else str(_reason(error)),
        sent=not _never_connected(error),
        certificate=isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error),
    )


def _is_timeout(error: Exception) -> bool:
    """Return whether the answer, or a part of it, has not arrived in time."""
    from urllib3 import exceptions

    # http.client's connection, cut short at the deadline, is wrapped twice: in an error of urllib3, and that
    # in one of requests.
    wrapped = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    causes = (error, wrapped, *wrapped.args)
    return any(isinstance(cause, exceptions.ReadTimeoutError | TimeoutError) for cause in causes)


def _reason(error: Exception) -> object:
    """Return the error of urllib3, which requests wraps in a message on its own retries."""
    return getattr(error.args[0], "reason", None) or error if error.args else repr(error)


def _never_connected(error: Exception) -> bool:
    """Return whether requests failed before it sent anything: at the name, the connection or the proxy."""
    from urllib3 import exceptions

    reason = getattr(error.args[0], "reason", None) if error.args else None
    # urllib3 raises ProxyError also if the connection is lost later, even during the wait for the response.
    # Only the error that it wraps shows when that was.
    if isinstance(reason, exceptions.ProxyError):
        reason = reason.original_error
    unsent = isinstance(reason, exceptions.NewConnectionError | exceptions.ConnectTimeoutError)
    return unsent or str(reason).startswith(_NO_TUNNEL)

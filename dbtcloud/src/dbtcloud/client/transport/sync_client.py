"""The blocking engine: it carries out calls with requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import DEFAULT_RETRY, Execution, RetryDecision
from dbtcloud.client.transport.content_encoding import CHUNK_SIZE, BodyEncoding, GzipDecoder, GzipError

if TYPE_CHECKING:
    import requests

    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.client.transport.network_settings import Transport

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

    Args:
        call: The call.
        send: Sends one request.
        retry: Decides whether a failed request is sent again.
        sleep: Waits for a number of seconds; `time.sleep` if None.
        on_response: Called with each response that the call receives.

    Raises:
        DbtCloudError: If the call fails.
    """
    execution = Execution(call, retry, on_response)
    outcome: Response | DbtCloudError | None = None
    while (step := execution.next_step(outcome)) is not None:
        outcome = None
        if isinstance(step, Sleep):
            (sleep or time.sleep)(step.seconds)  # looked up here, so that tests can replace time.sleep
            continue
        try:
            outcome = send(step)
        except DbtCloudError as error:
            outcome = error
    return execution.result


class SyncClient:
    """A client of one account that blocks, with a session of requests. It is a context manager.

    Args:
        credentials: Address, token and network settings.
        retry: Decides whether a failed request is sent again.
    """

    def __init__(self, credentials: Credentials, retry: RetryDecision = DEFAULT_RETRY) -> None:
        self.credentials = credentials
        self.retry = retry
        self.session = new_session(credentials.transport)

    def ask(self, call: Call[T]) -> T:
        """Carry out a call and return its result.

        Raises:
            DbtCloudError: If the call fails.
        """
        return run_call(call, self.send, retry=self.retry)

    def send(self, request: Request) -> Response:
        """Send one request once.

        Raises:
            TransportError: If no complete response arrives.
            MalformedResponse: If the response has an encoding that was not asked for.
        """
        return send_with_requests(self.credentials, lambda: self._request(request), request.sink)

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
        self.session.close()


def new_session(transport: Transport) -> requests.Session:
    """Return a session of requests with the settings of `transport`. It keeps no cookies.

    Reading an incomplete gzip body raises `requests.exceptions.ContentDecodingError`.
    """
    import requests

    session = requests.Session()
    session.hooks["response"].append(_check_gzip)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Only `Transport` reads the environment. requests would prefer certificates of the
    # environment to those of the transport, and entries of ~/.netrc to the token.
    session.trust_env = False
    session.verify = transport.ca_certificates()
    session.cert = transport.client_certificate()
    return session


def _check_gzip(response: requests.Response, **_: object) -> requests.Response:
    """Make requests notice an incomplete gzip body. This is a response hook of requests."""
    if BodyEncoding(response.headers).is_gzip:
        must_be_whole = response.status_code == 200 and response.request.method != "HEAD"
        response.raw = _GzipRawResponse(response.raw, must_be_whole=must_be_whole)
    return response


class _GzipRawResponse:
    """A response of urllib3, for requests to read, whose gzip is decompressed here.

    Args:
        raw: The response of urllib3.
        must_be_whole: Whether an incomplete body is an error. That of an error response is not: its status
            counts, whatever can be read of the body.
    """

    def __init__(self, raw: Any, *, must_be_whole: bool) -> None:
        self._raw, self._must_be_whole = raw, must_be_whole

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """Read the body in chunks.

        Raises:
            urllib3.exceptions.DecodeError: If the body is incomplete and must be whole.
            urllib3.exceptions.HTTPError: If the connection fails.
        """
        chunks: Iterator[bytes] = self._raw.stream(amount, decode_content=False)
        return self._decompress(chunks) if decode_content else chunks

    def _decompress(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        from urllib3.exceptions import DecodeError

        try:
            yield from GzipDecoder.decompress(chunks)
        except GzipError as error:
            self._raw.close()
            if self._must_be_whole:
                raise DecodeError(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def send_with_requests(
    credentials: Credentials, send: Callable[[], requests.Response], sink: Sink | None = None
) -> Response:
    """Send a request with requests, and translate its response or its error.

    Args:
        credentials: The credentials of the account.
        send: Sends the request. If there is a sink, it does not read the body (`stream=True`).
        sink: Receives the body of a 200.

    Raises:
        TransportError: If no complete response arrives.
        MalformedResponse: If the response has an encoding that was not asked for.
    """
    import requests

    try:
        raw = send()
        if sink is not None and raw.status_code == 200:
            _stream_to_sink(raw, sink, credentials)
            return credentials.response(200, raw.headers, b"", raw)
        credentials.check_encoding(raw.status_code, raw.headers)
        return credentials.response(raw.status_code, raw.headers, raw.content, raw)
    except requests.exceptions.ContentDecodingError as error:
        raise credentials.interrupted_error(str(error)) from credentials.safe_cause(error)
    except (requests.RequestException, OSError) as error:
        raise _transport_error(error, credentials) from credentials.safe_cause(error)


def _stream_to_sink(raw: requests.Response, sink: Sink, credentials: Credentials) -> None:
    import requests

    try:
        credentials.check_encoding(200, raw.headers)
        sink.begin(has_known_end=BodyEncoding(raw.headers).has_known_end)
        for chunk in raw.iter_content(CHUNK_SIZE):
            sink.write(chunk)
    except (requests.RequestException, OSError) as error:
        raise credentials.interrupted_error(str(_reason(error))) from credentials.safe_cause(error)
    finally:
        raw.close()
    # Older releases of urllib3 do not notice a body that is shorter than its Content-Length.
    length, received = raw.headers.get("Content-Length", ""), raw.raw.tell()
    if length.isdigit() and int(length) != received:
        raise credentials.interrupted_error(f"{received} of {length} bytes arrived")
    sink.end()


def _transport_error(error: Exception, credentials: Credentials) -> TransportError:
    import requests

    return credentials.no_response_error(
        str(_reason(error)),
        sent=not _never_connected(error),
        certificate=isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error),
    )


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

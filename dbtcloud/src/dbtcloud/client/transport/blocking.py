"""The blocking engine: drives a call, and a client that carries it over requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Self

from dbtcloud.client.errors import DbtCloudError, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sink, Sleep, T
from dbtcloud.client.retry import TOLERANT, Decision, insist
from dbtcloud.client.transport import certificates
from dbtcloud.client.transport.content_encoding import check_coding, tells_its_end
from dbtcloud.client.transport.gzip_body import watch_gzip
from dbtcloud.client.transport.proxies import proxy_for

if TYPE_CHECKING:
    import requests

    from dbtcloud.client.transport.credentials import Credentials, Transport


def drive(
    call: Call[T],
    send: Callable[[Request], Response],
    *,
    decision: Decision = TOLERANT,
    sleep: Callable[[float], None] = time.sleep,
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
            sleep(step.seconds)
            continue
        try:
            answer = send(step)
        except DbtCloudError as raised:
            error = raised


class Client:
    """Speaks to one account over a kept requests session; a context manager.

    Args:
        credentials: Address, token and transport.
        decision: How long one request is insisted on.
    """

    def __init__(self, credentials: Credentials, decision: Decision = TOLERANT) -> None:
        self.credentials = credentials
        self.decision = decision
        self.session = new_session(credentials.transport)

    def ask(self, call: Call[T]) -> T:
        """Carry out a call.

        Raises:
            DbtCloudError: As the call says.
        """
        return drive(call, self._send, decision=self.decision)

    def _send(self, request: Request) -> Response:
        return transmit(self.credentials, lambda: self._request(request), request.sink)

    def _request(self, request: Request) -> requests.Response:
        url = self.credentials.url(request)
        return self.session.request(
            request.method,
            url,
            data=request.content,
            headers=self.credentials.headers(request),
            timeout=self.credentials.transport.timeout,
            allow_redirects=False,
            proxies=proxies(self.credentials.transport, url),
            stream=request.sink is not None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.session.close()


def new_session(transport: Transport) -> requests.Session:
    """A requests session that uses the network as the transport says, and keeps no cookies.

    What is read over it is whole: a gzipped body that is not raises `ContentDecodingError`.
    """
    import requests

    session = requests.Session()
    session.hooks["response"].append(watch_gzip)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return configured(session, transport)


def configured(session: requests.Session, transport: Transport) -> requests.Session:
    """Give a session the transport's certificates.

    The environment is read here and in `proxies`, not by requests: that would put its own certificates before
    the transport's, and entries of ~/.netrc before the token.
    """
    session.trust_env = False
    session.verify = certificates.trusted(transport)
    session.cert = certificates.shown(transport)
    return session


def proxies(transport: Transport, url: str) -> dict[str, str]:
    """The proxy for an address, as requests takes it."""
    chosen = proxy_for(url, transport)
    return {"all": chosen} if chosen else {}


def transmit(
    credentials: Credentials, send: Callable[[], requests.Response], sink: Sink | None = None
) -> Response:
    """Send with requests, and say in our own words what came or did not come.

    Args:
        credentials: Of the account.
        send: Does it; where there is a sink, without reading the body (`stream=True`).
        sink: Takes the body of a 200.

    Raises:
        TransportError: If there is no whole answer.
        MalformedResponse: If it is encoded in a way that was not asked for.
    """
    import requests

    try:
        raw = send()
        if sink is not None and raw.status_code == 200:
            return credentials.response(200, raw.headers, _poured(raw, sink, credentials), raw)
        check_coding(raw.status_code, raw.headers, credentials)
        return credentials.response(raw.status_code, raw.headers, raw.content, raw)
    except requests.exceptions.ContentDecodingError as error:
        raise broken_off(str(error), credentials) from credentials.showable(error)
    except (requests.RequestException, OSError) as error:
        raise _silence(error, credentials) from credentials.showable(error)


def _poured(raw: requests.Response, sink: Sink, credentials: Credentials) -> bytes:
    """Hand a body over as it arrives; what is left of it is nothing."""
    import requests

    try:
        check_coding(200, raw.headers, credentials)
        sink.begin(tells_its_end=tells_its_end(raw.headers))
        for chunk in raw.iter_content(CHUNK):
            sink.write(chunk)
    except (requests.RequestException, OSError) as error:
        raise broken_off(str(_innermost(error)), credentials) from credentials.showable(error)
    finally:
        raw.close()
    # Older releases of urllib3 take a body that ends too soon for a whole one.
    promised, came = raw.headers.get("Content-Length", ""), raw.raw.tell()
    if promised.isdigit() and int(promised) != came:
        raise broken_off(f"{came} of {promised} bytes came", credentials)
    sink.end()
    return b""


def broken_off(why: str, credentials: Credentials) -> TransportError:
    """The error for a body of which a part came."""
    what = f"The answer from {credentials.base_url} broke off"
    return TransportError(what, sent=True, why=credentials.mask(why), fix=NETWORK_HINT)


def _silence(error: Exception, credentials: Credentials) -> TransportError:
    import requests

    certificate = isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error)
    return TransportError(
        f"No answer came from {credentials.base_url}",
        sent=not (certificate or _never_connected(error)),
        why=credentials.mask(str(_innermost(error))),
        fix=CERTIFICATE_HINT if certificate else NETWORK_HINT,
    )


def _innermost(error: Exception) -> object:
    """What urllib3 gave up for; requests wraps it in a text about its own retries."""
    return getattr(error.args[0], "reason", None) or error if error.args else repr(error)


def _never_connected(error: Exception) -> bool:
    """Whether requests failed before it wrote anything: name, connection, proxy tunnel.

    A connection through a proxy that is lost later, even while the answer is waited for, is a `ProxyError` of
    urllib3's too; only what it wraps tells.
    """
    from urllib3 import exceptions

    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, exceptions.ProxyError):
        reason = reason.original_error
    unsent = isinstance(reason, exceptions.NewConnectionError | exceptions.ConnectTimeoutError)
    return unsent or str(reason).startswith(NO_TUNNEL)


CHUNK = 256 * 1024
"""Bytes that are handed on at a time: small, since compressed ones can grow twentyfold."""

NO_TUNNEL = "Tunnel connection failed"
"""How Python's http.client begins what it says of a proxy that makes no tunnel, so that nothing was sent."""

NETWORK_HINT = "Check the connection's host and proxies, and that this machine may reach it"
CERTIFICATE_HINT = (
    "If a private certificate authority signs for it, give its file as 'verify' in the connection's extra, "
    "or in REQUESTS_CA_BUNDLE"
)

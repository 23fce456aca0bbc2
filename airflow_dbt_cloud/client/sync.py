"""The blocking engine: drives a call, and a client that carries it over requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Self

from airflow_dbt_cloud.client import certificates
from airflow_dbt_cloud.client.errors import DbtCloudError, TransportError
from airflow_dbt_cloud.client.protocol import Call, Request, Response, Sleep, T
from airflow_dbt_cloud.client.proxies import proxy_for
from airflow_dbt_cloud.client.retry import TOLERANT, Decision, insist

if TYPE_CHECKING:
    import requests

    from airflow_dbt_cloud.client.credentials import Credentials, Transport


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
        return transmit(self.credentials, lambda: self._request(request))

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
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.session.close()


def new_session(transport: Transport) -> requests.Session:
    """A requests session that uses the network as the transport says, and keeps no cookies."""
    import requests

    session = requests.Session()
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


def transmit(credentials: Credentials, send: Callable[[], requests.Response]) -> Response:
    """Send with requests, and say in our own words what came or did not come.

    Raises:
        TransportError: If there is no whole answer.
    """
    import requests

    try:
        raw = send()
        return credentials.response(raw.status_code, raw.headers, raw.content, raw)
    except (requests.RequestException, OSError) as error:
        raise _silence(error, credentials) from credentials.showable(error)


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
    """Whether requests failed before it wrote anything: name, connection, proxy tunnel."""
    import requests
    import urllib3

    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


NETWORK_HINT = "Check the connection's host and proxies, and that this machine may reach it"
CERTIFICATE_HINT = (
    "If a private certificate authority signs for it, give its file as 'verify' in the connection's extra, "
    "or in REQUESTS_CA_BUNDLE"
)

"""Credentials and network settings for an account of dbt Cloud. Their `repr` shows no secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dbtcloud import __version__
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Request, Response
from dbtcloud.client.transport import address
from dbtcloud.client.transport.content_encoding import ACCEPTED_ENCODING

DEFAULT_TIMEOUT = 60.0
"""Seconds without a byte after which a request fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """Network settings, with the same meaning for requests and aiohttp.

    Attributes:
        timeout: Seconds to connect, and seconds without a byte while reading.
        proxies: Proxy addresses by scheme ("http", "https", "all"), in the form of requests.
        verify: Whether certificates are checked, or the path of a file with CA certificates.
        cert: The client certificate: the path of a file, or those of certificate and key.
        trust_env: Whether the environment may also name proxies and CA certificates.
    """

    timeout: float = DEFAULT_TIMEOUT
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    trust_env: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The address of an account and a token.

    Attributes:
        base_url: Such as "https://ab123.us1.dbt.com"; `address.base_url` makes it of a host.
        token: A service token or personal access token.
        account_id: The default account as digits, or None if there is none.
        discovery_url: Address of the Discovery API; if empty, it is derived from `base_url`.
        transport: Network settings.

    Raises:
        InvalidArgument: If the token holds a character that cannot be sent.
    """

    base_url: str
    token: str = field(repr=False)
    account_id: str | None = None
    discovery_url: str = ""
    transport: Transport = Transport()

    def __post_init__(self) -> None:
        if not self.token.isascii() or not self.token.isprintable() or self.token != self.token.strip():
            raise InvalidArgument(
                "The API token cannot be sent",
                why="HTTP headers cannot hold one of its characters, such as a line break or an outer space",
                fix="Copy the token again",
            )

    def url(self, request: Request) -> str:
        """Return the full address of a request."""
        if request.service == "discovery":
            return self.discovery_url or address.discovery_url(self.base_url)
        return self.base_url + request.target

    def headers(self, request: Request) -> dict[str, str]:
        """Return the headers of a request with those for authentication (API: "Authentication")."""
        identity = {"Authorization": f"Token {self.token}", "User-Agent": f"dbtcloud/{__version__}"}
        return {**identity, "Accept-Encoding": ACCEPTED_ENCODING, **request.headers}

    def response(self, status: int, headers: Mapping[str, str], body: bytes, raw: object) -> Response:
        """Return a response. If it is an error, the token is masked in it."""
        lower = {name.lower(): value for name, value in headers.items()}
        if status < 300 or not self.token:
            return Response(status, lower, body, raw)
        masked = {name: self.mask(value) for name, value in lower.items()}
        return Response(status, masked, body.replace(self.token.encode(), b"***"), raw)

    def mask(self, text: str) -> str:
        """Return `text` with the token and the credentials of proxies masked."""
        hidden = text.replace(self.token, "***") if self.token else text
        return re.sub(r"(?<=//)[^/\s]+(?=@)|(?<=Basic )[\w+/=]+", "***", hidden)

    def safe_cause(self, error: BaseException) -> BaseException | None:
        """Return `error`, or None if it or one of its causes shows a secret in its message or its repr."""
        cause: BaseException | None = error
        while cause is not None:
            text = f"{cause} {cause!r}"
            if self.mask(text) != text:
                return None
            cause = cause.__cause__ or cause.__context__
        return error

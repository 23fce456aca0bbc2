"""What it takes to reach an account of dbt Cloud, free of any framework; secrets stay out of `repr`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dbtcloud import __version__
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Request, Response
from dbtcloud.client.transport import address
from dbtcloud.client.transport.content_encoding import ACCEPTED

DEFAULT_TIMEOUT = 60.0
"""Seconds without a byte after which a request is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How the network is used, with the same meaning for requests and aiohttp.

    Attributes:
        timeout: Seconds to connect, and seconds without a byte while reading.
        proxies: Proxy URLs by scheme ("http", "https", "all"), as requests takes them.
        verify: True, False, or the path of a file with CA certificates.
        cert: Client certificate: one file, or certificate and key.
        trust_env: Whether proxies and CA certificates are also taken from the environment.
    """

    timeout: float = DEFAULT_TIMEOUT
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    trust_env: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An account of dbt Cloud and the token to act in it.

    Attributes:
        base_url: Such as "https://ab123.us1.dbt.com"; `address.base_url` makes it from a host.
        token: A service token or personal access token.
        account_id: The account that calls are made for, as digits, or None where each call says it.
        discovery_url: Address of the Discovery API; worked out from `base_url` when "".
        transport: Timeouts, proxies, certificates.
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
                why="It holds a character that no HTTP header may, such as a line break or an outer blank",
                fix="Paste the token anew",
            )

    def url(self, request: Request) -> str:
        """The full address of a request."""
        if request.service == "discovery":
            return self.discovery_url or address.discovery_url(self.base_url)
        return self.base_url + request.target

    def headers(self, request: Request) -> dict[str, str]:
        """The request's headers with the token among them (API: "Authentication")."""
        identity = {"Authorization": f"Token {self.token}", "User-Agent": f"dbtcloud/{__version__}"}
        return {**identity, "Accept-Encoding": ACCEPTED, **request.headers}

    def response(self, status: int, headers: Mapping[str, str], body: bytes, raw: object) -> Response:
        """An answer; of one that will become an error, nothing repeats the token."""
        lower = {name.lower(): value for name, value in headers.items()}
        if status < 300 or not self.token:
            return Response(status, lower, body, raw)
        masked = {name: self.mask(value) for name, value in lower.items()}
        return Response(status, masked, body.replace(self.token.encode(), b"***"), raw)

    def mask(self, text: str) -> str:
        """`text` without the token and without what signs in to a proxy."""
        hidden = text.replace(self.token, "***") if self.token else text
        return re.sub(r"(?<=//)[^/\s]+(?=@)|(?<=Basic )[\w+/=]+", "***", hidden)

    def showable(self, error: BaseException) -> BaseException | None:
        """`error` unless it, or one beneath it, tells a secret in its message or its repr."""
        beneath: BaseException | None = error
        while beneath is not None:
            told = f"{beneath} {beneath!r}"
            if self.mask(told) != told:
                return None
            beneath = beneath.__cause__ or beneath.__context__
        return error

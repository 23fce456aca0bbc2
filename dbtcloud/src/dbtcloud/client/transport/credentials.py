"""The address of an account and a token. Neither messages nor `repr` show the token."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce, wraps
from typing import Any, TypeVar, cast

from dbtcloud.client.errors import DbtCloudError, InvalidArgument, MalformedResponse, TransportError
from dbtcloud.client.protocol import Request, Response
from dbtcloud.client.secret_mask import mask_secret
from dbtcloud.client.shown_text import Mask, mask_credentials
from dbtcloud.client.transport import address, artifact_checks
from dbtcloud.client.transport.content_encoding import ACCEPTED_ENCODING, BodyEncoding
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.version import __version__

_Method = TypeVar("_Method", bound=Callable[..., Any])

_NETWORK_HINT = "Check the host of dbt Cloud and the proxies, and whether this machine can reach it"
_PRIVATE_AUTHORITY_HINT = (
    "If a private certificate authority signed it, name its file in the setting 'verify' or in "
    "REQUESTS_CA_BUNDLE"
)
_TOKEN_PREFIX = re.compile(r"(authorization\s*:\s*)?(token|bearer)[\s:]+|authorization\s*:", re.IGNORECASE)

_MAX_MASKED = 60_000  # characters
_CUT_MARGIN = 5_000  # more than a token has in any form


def _token_fault(token: str) -> str:
    """Return what was copied with a token, or an empty text."""
    if prefix := _TOKEN_PREFIX.match(token):
        return f"it begins with {prefix[0].strip()!r}, which belongs to the header of a request"
    if token[:1] in {'"', "'"} and token[:1] == token[-1:]:
        return "it stands in quotation marks"
    return ""


def _with_masked_error(method: _Method) -> _Method:
    """Mask the secrets in an error that a method of credentials returns or raises."""

    @wraps(method)
    def masked(self: Credentials, *args: Any, **kwargs: Any) -> Any:
        try:
            result = method(self, *args, **kwargs)
        except DbtCloudError as error:
            error.mask(self.mask)
            raise
        if isinstance(result, DbtCloudError):
            result.mask(self.mask)
        return result

    return cast("_Method", masked)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """The address of an account and a token.

    Both engines build their requests, responses and errors here, so that no secret gets into any of them.

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
    transport: Transport = field(default_factory=Transport)

    def __post_init__(self) -> None:
        transport: object = self.transport
        if not isinstance(transport, Transport):
            raise InvalidArgument(
                f"The network settings are of the type {type(transport).__name__}",
                fix="Give them as a Transport, such as Transport(timeout=30)",
            )
        if not self.token.isascii() or not self.token.isprintable() or self.token != self.token.strip():
            raise InvalidArgument(
                "The API token cannot be sent",
                why="HTTP headers cannot hold one of its characters, such as a line break or an outer space",
                fix="Copy the token again",
            )
        if fault := _token_fault(self.token):
            raise InvalidArgument(
                f"The API token is not a token alone: {fault}",
                why="dbt Cloud would answer 401 to it",
                fix="Give only the token itself",
            )

    def __repr__(self) -> str:
        # A token may have been pasted into any field.
        shown = (f"base_url={self.base_url!r}", f"account_id={self.account_id!r}", repr(self.transport))
        return self.mask(f"{type(self).__name__}({', '.join(shown)})")

    def url(self, request: Request) -> str:
        """Return the full address of a request."""
        if request.service == "discovery":
            return self.discovery_url or address.discovery_url(self.base_url)
        return self.base_url + request.target

    def headers(self, request: Request) -> dict[str, str]:
        """Return the headers of a request with those for authentication (API: "Authentication")."""
        identity = {"Authorization": f"Token {self.token}", "User-Agent": f"dbtcloud/{__version__}"}
        return {**identity, "Accept-Encoding": ACCEPTED_ENCODING, **request.headers}

    @_with_masked_error
    def response(
        self, request: Request, status: int, headers: Mapping[str, str], body: bytes, raw: object
    ) -> Response:
        """Return the response to a request. What is said of it is masked.

        Raises:
            MalformedResponse: If it should be an artifact, and its body is not.
        """
        if request.sink is None:
            artifact_checks.check_body(request, status, headers, body)
        lower = {name.lower(): value for name, value in headers.items()}
        return Response(status, lower, body, raw, self._mask_for(request))

    def _mask_for(self, request: Request) -> Mask:
        """Return what masks the token, and the secrets of a request, which its answer may repeat."""
        if not request.secrets:
            return self.mask
        return lambda text: reduce(mask_secret, request.secrets, self.mask(text))

    def mask(self, text: str) -> str:
        """Return `text` with the token and the credentials of proxies masked.

        It is for messages: of a text of more than 60,000 characters, the middle is left out.
        """
        if len(text) <= _MAX_MASKED:
            return mask_credentials(mask_secret(text, self.token))
        # Masking decodes a text several times, which would take seconds for megabytes of escapes.
        half = _MAX_MASKED // 2
        start, end = self.mask(text[:half]), self.mask(text[-half:])
        # At the cut may be a part of the token, which nothing would find.
        return f"{start[:-_CUT_MARGIN]} […] {end[_CUT_MARGIN:]}"

    def safe_cause(self, error: BaseException) -> BaseException | None:
        """Return `error`, or None if it or one of its causes shows a secret in its message or its repr."""
        cause: BaseException | None = error
        while cause is not None:
            text = f"{cause} {cause!r}"
            if self.mask(text) != text:
                return None
            cause = cause.__cause__ or cause.__context__
        return error

    @_with_masked_error
    def check_head(self, request: Request, status: int, headers: Mapping[str, str]) -> None:
        """Refuse a 200 whose headers show that its body cannot be used.

        Other statuses count whatever their body is.

        Raises:
            MalformedResponse: If the body has an encoding that was not asked for, or is not the artifact.
        """
        if status == 200 and not BodyEncoding(headers).is_readable:
            encoding = headers["Content-Encoding"]
            raise MalformedResponse(
                f"The answer from {self.base_url} has the encoding {encoding!r}",
                why=f"Only {ACCEPTED_ENCODING!r} or none was asked for, and no other can be read",
                fix="Check the proxies between this machine and dbt Cloud",
            )
        artifact_checks.check_head(request, status, headers)

    @_with_masked_error
    def interrupted_error(self, why: str) -> TransportError:
        """Return the error for a response of which only a part arrived."""
        what = f"The answer from {self.base_url} was interrupted"
        return TransportError(what, sent=True, why=why, fix=_NETWORK_HINT)

    @_with_masked_error
    def no_response_error(self, why: str, *, sent: bool, certificate: bool = False) -> TransportError:
        """Return the error for a request without a response.

        Args:
            why: The message of the HTTP library, or which time has passed.
            sent: Whether a byte of the request may have been sent.
            certificate: Whether the server's certificate was refused; nothing is sent then.
        """
        return TransportError(
            f"No answer came from {self.base_url}",
            sent=sent and not certificate,
            why=why,
            fix=self._certificate_hint(why) if certificate else _NETWORK_HINT,
        )

    def _certificate_hint(self, why: str) -> str:
        """Return what to do about a refused certificate, for the reason that OpenSSL gives."""
        if "mismatch" in why or "doesn't match" in why:
            return (
                "The server's certificate is for another name, so 'verify' cannot help. Correct the "
                f"host: it should be the Access URL of your account, such as "
                f"{address.EXAMPLE_HOST}. If it is, a proxy may be answering in its place"
            )
        if "expired" in why or "not yet valid" in why:
            return "Check this machine's clock. If it is right, the server's certificate has to be renewed"
        if source := self.transport.ca_source:
            path, named_by = source
            return (
                f"{path}, which {named_by} names, does not have the authority that signed it. Add the "
                "authority's certificate to that file, or correct the path"
            )
        return _PRIVATE_AUTHORITY_HINT

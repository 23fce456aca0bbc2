"""Checks and errors of responses that both engines share."""

from __future__ import annotations

from collections.abc import Mapping

from dbtcloud.client.errors import MalformedResponse, TransportError
from dbtcloud.client.transport.content_encoding import ACCEPTED_ENCODING, is_readable
from dbtcloud.client.transport.credentials import Credentials

CHUNK_SIZE = 256 * 1024
"""Bytes that a sink gets at a time: few, because compressed ones can grow twentyfold."""

_NETWORK_HINT = "Check the connection's host and proxies, and whether this machine can reach it"
_CERTIFICATE_HINT = (
    "If a private certificate authority signed it, name its file as 'verify' in the connection's extra, "
    "or in REQUESTS_CA_BUNDLE"
)


def check_encoding(status: int, headers: Mapping[str, str], credentials: Credentials) -> None:
    """Refuse a 200 whose body cannot be read. Other statuses count whatever their body is.

    Raises:
        MalformedResponse: If the body has an encoding that was not asked for.
    """
    if status == 200 and not is_readable(headers):
        encoding = credentials.mask(headers["Content-Encoding"])
        raise MalformedResponse(
            f"The answer from {credentials.base_url} has the encoding {encoding!r}",
            why=f"Only {ACCEPTED_ENCODING!r} or none was asked for, and no other can be read",
            fix="Check the proxies in between",
        )


def interrupted(why: str, credentials: Credentials) -> TransportError:
    """Return the error for a response of which only a part arrived."""
    what = f"The answer from {credentials.base_url} was interrupted"
    return TransportError(what, sent=True, why=credentials.mask(why), fix=_NETWORK_HINT)


def no_response(why: str, credentials: Credentials, *, sent: bool, certificate: bool) -> TransportError:
    """Return the error for a request without a response.

    Args:
        why: The message of the HTTP library.
        credentials: The credentials of the account; they mask their secrets.
        sent: Whether a byte of the request may have been sent.
        certificate: Whether the server's certificate was refused; nothing is sent then.
    """
    return TransportError(
        f"No answer came from {credentials.base_url}",
        sent=sent and not certificate,
        why=credentials.mask(why),
        fix=_CERTIFICATE_HINT if certificate else _NETWORK_HINT,
    )

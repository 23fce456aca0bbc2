"""Certificates for requests and aiohttp: those to trust, and that of the client."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dbtcloud.client.errors import InvalidArgument

if TYPE_CHECKING:
    import ssl

    from dbtcloud.client.transport.credentials import Transport

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def ca_certificates(transport: Transport) -> bool | str:
    """Return whether certificates are checked, or the path of the CA certificates to trust.

    The path comes from the transport, or else from the environment. By themselves, requests reads only
    REQUESTS_CA_BUNDLE, and aiohttp only SSL_CERT_FILE.

    Raises:
        InvalidArgument: If the path does not exist.
    """
    if transport.verify is not True or not transport.trust_env:
        return _existing(transport.verify, "The connection's 'verify'")
    found = next((name for name in _CA_VARIABLES if os.environ.get(name)), None)
    return _existing(os.environ[found], f"The variable {found}") if found else True


def ssl_context(transport: Transport) -> ssl.SSLContext:
    """Return a TLS context for aiohttp that trusts the same certificates as requests does."""
    import ssl

    verify, cert = ca_certificates(transport), client_certificate(transport)
    file, folder = _ca_paths(verify)
    context = ssl.create_default_context(cafile=file, capath=folder)
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert:
        context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    return context


def client_certificate(transport: Transport) -> str | tuple[str, str] | None:
    """Return the path of the client's certificate, or those of certificate and key.

    Raises:
        InvalidArgument: If a file does not exist, or its key is encrypted: OpenSSL would wait for somebody to
            type the password.
    """
    cert = transport.cert
    for path in (cert,) if isinstance(cert, str) else cert or ():
        _existing(path, "The connection's 'cert'")
        if "ENCRYPTED" in Path(path).read_text("ascii", "replace"):
            raise InvalidArgument(
                f"The key in {path} cannot be used",
                why="It is encrypted, and nobody can type the password",
                fix="Name a key without a password in the connection's 'cert'",
            )
    return cert


def _ca_paths(verify: bool | str) -> tuple[str | None, str | None]:
    """Return the file and the folder of the CA certificates, one of which is None."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    path = DEFAULT_CA_BUNDLE_PATH if isinstance(verify, bool) else verify
    return (None, path) if Path(path).is_dir() else (path, None)


def _existing(path: bool | str, named_by: str) -> bool | str:
    if isinstance(path, str) and not Path(path).exists():
        raise InvalidArgument(
            f"There is no certificate at {path}",
            why=f"{named_by} names it",
            fix="Correct the path, and make sure that it exists on every machine that runs tasks or triggers",
        )
    return path

"""Which certificates are trusted and shown: one answer for requests and aiohttp."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dbtcloud.client.errors import InvalidArgument

if TYPE_CHECKING:
    import ssl

    from dbtcloud.client.transport.credentials import Transport

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def trusted(transport: Transport) -> bool | str:
    """True, False, or the file of CA certificates: the transport's own, else the environment's first.

    requests alone reads REQUESTS_CA_BUNDLE only, and aiohttp alone SSL_CERT_FILE only; here both obey both.

    Raises:
        InvalidArgument: If the file is not there.
    """
    if transport.verify is not True or not transport.trust_env:
        return _existing(transport.verify, "the connection's 'verify'")
    found = next((name for name in CA_VARIABLES if os.environ.get(name)), None)
    return _existing(os.environ[found], f"the variable {found}") if found else True


def context(transport: Transport) -> ssl.SSLContext:
    """The TLS context of aiohttp for the transport; it trusts whom requests trusts."""
    import ssl

    verify, cert = trusted(transport), shown(transport)
    file, folder = _places(verify)
    made = ssl.create_default_context(cafile=file, capath=folder)
    if verify is False:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if cert:
        made.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    return made


def shown(transport: Transport) -> str | tuple[str, str] | None:
    """The client's certificate: one file, or certificate and key.

    Raises:
        InvalidArgument: If a file is not there, or its key is encrypted: OpenSSL would ask on the terminal
            for the password, and wait.
    """
    cert = transport.cert
    for path in (cert,) if isinstance(cert, str) else cert or ():
        _existing(path, "the connection's 'cert'")
        if "ENCRYPTED" in Path(path).read_text("ascii", "replace"):
            raise InvalidArgument(
                f"The key in {path} cannot be used",
                why="It is encrypted, and there is nobody to give the password",
                fix="Give a key without a password in the connection's 'cert'",
            )
    return cert


def _places(verify: bool | str) -> tuple[str | None, str | None]:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    place = DEFAULT_CA_BUNDLE_PATH if isinstance(verify, bool) else verify
    return (None, place) if Path(place).is_dir() else (place, None)


def _existing(path: bool | str, named_by: str) -> bool | str:
    if isinstance(path, str) and not Path(path).exists():
        raise InvalidArgument(
            f"There is no certificate at {path}",
            why=f"It is named by {named_by}",
            fix="Correct the path, and see that it exists on every machine that runs tasks or triggers",
        )
    return path

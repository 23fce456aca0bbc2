"""Which certificates are trusted and shown: one answer for requests and aiohttp."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_dbt_cloud.client.errors import InvalidArgument

if TYPE_CHECKING:
    import ssl

    from airflow_dbt_cloud.client.credentials import Transport

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
    """The TLS context of aiohttp for the transport."""
    import ssl

    verify = trusted(transport)
    file, folder = _places(verify)
    made = ssl.create_default_context(cafile=file, capath=folder)
    if verify is False:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if transport.cert:
        pair = (transport.cert,) if isinstance(transport.cert, str) else transport.cert
        made.load_cert_chain(*(str(_existing(path, "the connection's 'cert'")) for path in pair))
    return made


def _places(verify: bool | str) -> tuple[str | None, str | None]:
    if isinstance(verify, bool):
        return None, None
    return (None, verify) if Path(verify).is_dir() else (verify, None)


def _existing(path: bool | str, named_by: str) -> bool | str:
    if isinstance(path, str) and not Path(path).exists():
        raise InvalidArgument(
            f"There is no certificate at {path}",
            why=f"It is named by {named_by}",
            fix="Correct the path, and see that it exists on every machine that runs tasks or triggers",
        )
    return path

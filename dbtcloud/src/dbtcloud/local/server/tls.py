"""TLS: the context of a server that speaks https."""

import ssl
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError


def server_tls_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return the TLS context of a server.

    Args:
        certificate: a PEM file with the certificate, followed by those that lead to its authority.
        key: a PEM file with its private key, without a password; None if the first file contains it.

    Raises:
        LocalServerError: A file cannot be read, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password OpenSSL would ask for one on the terminal and wait. An empty one fails.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        files = f"{certificate} and {key}" if key else str(certificate)
        raise LocalServerError(
            f"https requires a certificate and its private key, and {files} cannot be used: {error}."
            " Give PEM files that belong together, the key without a password."
            " 'python -m trustme' (pip install trustme) makes such files for this machine."
        ) from error
    return context

"""Serving https: the certificate that clients are shown."""

import ssl
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError


def server_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return what a server needs to speak TLS.

    Args:
        certificate: a PEM file: the certificate, and after it those that lead to its authority.
        key: a PEM file with its private key, without a password; None where the first file holds it, too.

    Raises:
        LocalServerError: a file cannot be read, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Asked for a password, OpenSSL would wait for the terminal; an empty one fails.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        files = f"{certificate} and {key}" if key else str(certificate)
        raise LocalServerError(
            f"Serving https takes a certificate and its private key, and {files} cannot be used: {error}."
            " Give PEM files that belong together, the key without a password."
            " 'python -m trustme' (pip install trustme) makes such files for this machine."
        ) from error
    return context

"""A private certificate authority, what it signs, and files of it."""

import ssl
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "localhost", "ab123.us1.dbt.com")


class Authority:
    """A certificate authority with its certificate at `file`.

    Args:
        folder: Where its files go.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._authority = folder, trustme.CA()
        self.file = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.file)

    def server(self, *names: str, asks_for_client: bool = False) -> ssl.SSLContext:
        """What a server shows; with `asks_for_client` it lets in only whom this authority has signed for.

        Its certificate is for `names`, or else for this machine.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*(names or NAMES)).configure_cert(context)
        if asks_for_client:
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> tuple[str, str, str]:
        """A client's certificate and key in one file, its certificate alone, its key alone."""
        signed = self._authority.issue_cert("worker@example.com")
        both, cert, key = (str(self._folder / name) for name in ("both.pem", "cert.pem", "key.pem"))
        signed.private_key_and_cert_chain_pem.write_to_path(both)
        signed.cert_chain_pems[0].write_to_path(cert)
        signed.private_key_pem.write_to_path(key)
        return both, cert, key

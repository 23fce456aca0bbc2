"""Network settings with the same meaning for requests and aiohttp: limits, proxies and certificates."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dbtcloud.client.errors import ArtifactError, DbtCloudError, InvalidArgument, MalformedResponse
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.transport.address import is_valid_hostname
from dbtcloud.client.transport.content_encoding import BodyLimit

if TYPE_CHECKING:
    import ssl

DEFAULT_TIMEOUT = 60.0
"""Seconds in which the answer to a request has to be complete."""

DEFAULT_JSON_MIB = 64
"""Largest JSON answer: dbt Cloud's largest pages, with the debug logs of a hundred runs, stay below."""

DEFAULT_ARTIFACT_MIB = 2048
"""Largest artifact: ten times the manifest of a project with 50,000 models."""

DEFAULT_COMPRESSION_RATIO = 250
"""Ten times the ratio of artifacts, a quarter of what gzip can do."""

_MAX_NUMBER = 1_000_000_000
"""Sockets take no timeout that is much longer than these seconds, which are 30 years."""

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """Network settings, with the same meaning for requests and aiohttp.

    Attributes:
        timeout: Seconds in which an answer has to be complete. If its body is streamed, they are for its
            head, and the body must keep to a minimum rate (`time_limit.MINIMUM_RATE`).
        proxies: Proxy addresses by scheme ("http", "https", "all"), in the form of requests.
        verify: Whether certificates are checked, or the path of a file with CA certificates.
        cert: The client certificate: the path of a file, or those of certificate and key.
        trust_env: Whether the environment may also name proxies and CA certificates.
        max_json_mib: Largest JSON answer in MiB, after decompression.
        max_artifact_mib: Largest artifact in MiB, after decompression.
        max_compression_ratio: Largest number of bytes that decompression may make of one.

    Raises:
        InvalidArgument: If a number is not above 0.
    """

    timeout: float = DEFAULT_TIMEOUT
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    trust_env: bool = True
    max_json_mib: float = DEFAULT_JSON_MIB
    max_artifact_mib: float = DEFAULT_ARTIFACT_MIB
    max_compression_ratio: float = DEFAULT_COMPRESSION_RATIO

    def __post_init__(self) -> None:
        for name in ("timeout", "max_json_mib", "max_artifact_mib", "max_compression_ratio"):
            value: Any = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and 0 < value <= _MAX_NUMBER):
                raise InvalidArgument(
                    f"The setting {name!r} is {shown_value(value)}",
                    fix=f"Give a number above 0, up to {_MAX_NUMBER:,}",
                )

    def body_limit(self, *, is_file: bool) -> BodyLimit:
        """Return the limits for the body of one answer, which raise ArtifactError or MalformedResponse.

        Args:
            is_file: Whether it is an artifact, or streamed.
        """
        name = "max_artifact_mib" if is_file else "max_json_mib"

        def refuse(why: str, limit: str) -> DbtCloudError:
            setting = name if limit == "size" else "max_compression_ratio"
            fix = f"If it is right, raise the setting {setting!r}"
            if is_file:
                return ArtifactError("A file from dbt Cloud is too large", why=why, fix=fix)
            return MalformedResponse("An answer from dbt Cloud is too large", why=why, fix=fix)

        size = self.max_artifact_mib if is_file else self.max_json_mib
        return BodyLimit(int(size * 1024 * 1024), self.max_compression_ratio, refuse)

    def proxy_for(self, url: str) -> str | None:
        """Return the address of the proxy for a URL, or None.

        It comes from `proxies`, or else from the environment with its NO_PROXY.

        Raises:
            InvalidArgument: If it is not the address of an HTTP proxy. The message does not show it, because
                it may hold a password.
        """
        from requests.utils import get_environ_proxies, select_proxy

        # requests reads the environment for both engines: aiohttp knows no address ranges in NO_PROXY.
        environment = get_environ_proxies(url) if self.trust_env else {}
        proxy = select_proxy(url, dict(self.proxies)) or select_proxy(url, environment)
        return _checked_proxy(proxy) if proxy else None

    def requests_proxies(self, url: str) -> dict[str, str]:
        """Return the proxy for a URL in the form that requests takes."""
        proxy = self.proxy_for(url)
        return {"all": proxy} if proxy else {}

    def ca_certificates(self) -> bool | str:
        """Return whether certificates are checked, or the path of the CA certificates to trust.

        The path comes from `verify`, or else from the environment.

        Raises:
            InvalidArgument: If the path does not exist, or is a file without certificates.
        """
        source = self.ca_source
        if source is None:
            return bool(self.verify)
        path, named_by = source
        _check_exists(path, named_by)
        if Path(path).is_file():
            _check_ca_file(path, named_by)
        return path

    @property
    def ca_source(self) -> tuple[str, str] | None:
        """The path of the CA certificates and the setting that names it, or None if no setting does."""
        if isinstance(self.verify, str):
            return self.verify, "the setting 'verify'"
        if not self.verify or not self.trust_env:
            return None
        # By themselves, requests reads only REQUESTS_CA_BUNDLE, and aiohttp only SSL_CERT_FILE.
        found = next((name for name in _CA_VARIABLES if os.environ.get(name)), None)
        return (os.environ[found], f"the variable {found}") if found else None

    def client_certificate(self) -> str | tuple[str, str] | None:
        """Return the path of the client's certificate, or those of certificate and key.

        Raises:
            InvalidArgument: If a file does not exist or cannot be used, or its key is encrypted.
        """
        paths = (self.cert,) if isinstance(self.cert, str) else self.cert or ()
        for path in paths:
            _check_exists(path, "the setting 'cert'")
            # OpenSSL would wait for somebody to type the password.
            if "ENCRYPTED" in Path(path).read_text("ascii", "replace"):
                raise InvalidArgument(
                    f"The key in {path} cannot be used",
                    why="It is encrypted, and nobody can type the password",
                    fix="Name a key without a password in the setting 'cert'",
                )
        if paths:
            _check_client_files(paths)
        return self.cert

    def ssl_context(self) -> ssl.SSLContext:
        """Return a TLS context for aiohttp that trusts the same certificates as requests does."""
        import ssl

        verify, cert = self.ca_certificates(), self.client_certificate()
        file, folder = _ca_paths(verify)
        context = ssl.create_default_context(cafile=file, capath=folder)
        if verify is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if cert:
            context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
        return context


def _checked_proxy(proxy: str) -> str:
    text = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parsed = urlsplit(text)
        valid = parsed.scheme in {"http", "https"} and is_valid_hostname(parsed.hostname) and parsed.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise InvalidArgument(
            "The proxy for dbt Cloud cannot be used",
            why="It is not the address of an HTTP proxy, such as http://proxy.example:3128 (no SOCKS)",
            fix="Correct the setting 'proxies', or the variables HTTPS_PROXY and HTTP_PROXY",
        )
    return text


def _ca_paths(verify: bool | str) -> tuple[str | None, str | None]:
    """Return the file and the folder of the CA certificates, one of which is None."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    path = DEFAULT_CA_BUNDLE_PATH if isinstance(verify, bool) else verify
    return (None, path) if Path(path).is_dir() else (path, None)


def _check_exists(path: str, named_by: str) -> None:
    if not Path(path).exists():
        raise InvalidArgument(
            f"There is no certificate at {path}",
            why=f"{named_by[:1].upper()}{named_by[1:]} names it",
            fix="Correct the path, and make sure that it exists on every machine that uses it",
        )


def _check_ca_file(path: str, named_by: str) -> None:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:  # of which ssl.SSLError is one
        raise InvalidArgument(
            f"The file {path}, which {named_by} names, has no certificates that can be read",
            why=_file_fault(path) or str(error),
            fix=f"Let {named_by} name a PEM file with the certificates of the authorities to trust, each "
            "after a line -----BEGIN CERTIFICATE-----",
        ) from error


def _check_client_files(paths: Sequence[str]) -> None:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(*paths)
    except OSError as error:
        raise InvalidArgument(
            f"The client certificate in {' and '.join(paths)} cannot be used",
            why=_file_fault(paths[0]) or str(error),
            fix="Let the setting 'cert' name a PEM file with the certificate and its private key, or a "
            "list of two files: the certificate, then its key",
        ) from error


def _file_fault(path: str) -> str:
    """Return what is wrong with a file of certificates as far as its text shows it, or an empty text."""
    try:
        text = Path(path).read_text("ascii", "replace")
    except OSError as error:
        return f"It cannot be read: {error.strerror}"
    if not text.strip():
        return "It is empty"
    if "-----BEGIN " not in text:
        return (
            "It is not in PEM format. If it is a certificate in DER format, convert it with "
            "`openssl x509 -inform der -in FILE -out FILE.pem`"
        )
    has_only_a_key = "PRIVATE KEY-----" in text and "CERTIFICATE-----" not in text
    return "It holds a private key only" if has_only_a_key else ""

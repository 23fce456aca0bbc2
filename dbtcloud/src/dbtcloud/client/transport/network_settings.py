"""Network settings with the same meaning for requests and aiohttp: limits, proxies and certificates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dbtcloud.client.errors import ArtifactError, DbtCloudError, InvalidArgument, MalformedResponse
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
    """

    timeout: float = DEFAULT_TIMEOUT
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    trust_env: bool = True
    max_json_mib: float = DEFAULT_JSON_MIB
    max_artifact_mib: float = DEFAULT_ARTIFACT_MIB
    max_compression_ratio: float = DEFAULT_COMPRESSION_RATIO

    def body_limit(self, *, is_file: bool) -> BodyLimit:
        """Return the limits for the body of one answer, which raise ArtifactError or MalformedResponse.

        Args:
            is_file: Whether it is an artifact, or streamed.
        """
        name = "max_artifact_mib" if is_file else "max_json_mib"

        def refuse(why: str, limit: str) -> DbtCloudError:
            setting = name if limit == "size" else "max_compression_ratio"
            fix = f"If it is right, raise {setting!r} in the connection's extra"
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
            InvalidArgument: If the path does not exist.
        """
        if self.verify is not True or not self.trust_env:
            return _existing(self.verify, "The connection's 'verify'")
        # By themselves, requests reads only REQUESTS_CA_BUNDLE, and aiohttp only SSL_CERT_FILE.
        found = next((name for name in _CA_VARIABLES if os.environ.get(name)), None)
        return _existing(os.environ[found], f"The variable {found}") if found else True

    def client_certificate(self) -> str | tuple[str, str] | None:
        """Return the path of the client's certificate, or those of certificate and key.

        Raises:
            InvalidArgument: If a file does not exist, or its key is encrypted.
        """
        for path in (self.cert,) if isinstance(self.cert, str) else self.cert or ():
            _existing(path, "The connection's 'cert'")
            # OpenSSL would wait for somebody to type the password.
            if "ENCRYPTED" in Path(path).read_text("ascii", "replace"):
                raise InvalidArgument(
                    f"The key in {path} cannot be used",
                    why="It is encrypted, and nobody can type the password",
                    fix="Name a key without a password in the connection's 'cert'",
                )
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
            fix="Correct 'proxies' in the connection's extra, or the variables HTTPS_PROXY and HTTP_PROXY",
        )
    return text


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

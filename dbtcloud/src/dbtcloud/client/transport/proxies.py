"""The proxy of a request, read in the same way for both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.transport.address import is_valid_hostname

if TYPE_CHECKING:
    from dbtcloud.client.transport.credentials import Transport


def proxy_for(url: str, transport: Transport) -> str | None:
    """Return the address of the proxy for a URL, or None.

    It comes from the transport, or else from the environment with its NO_PROXY. The environment is read as
    requests does; aiohttp reads it differently (address ranges in NO_PROXY).

    Raises:
        InvalidArgument: If it is not the address of an HTTP proxy. The message does not show it, because it
            may hold a password.
    """
    from requests.utils import get_environ_proxies, select_proxy

    environment = get_environ_proxies(url) if transport.trust_env else {}
    proxy = select_proxy(url, dict(transport.proxies)) or select_proxy(url, environment)
    return _checked(proxy) if proxy else None


def _checked(proxy: str) -> str:
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

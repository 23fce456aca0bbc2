"""Which proxy a request goes through: one reading of connection and environment for both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.transport.address import is_name

if TYPE_CHECKING:
    from dbtcloud.client.transport.credentials import Transport


def proxy_for(url: str, transport: Transport) -> str | None:
    """The proxy for an address: the transport's own, else the environment's, NO_PROXY heeded.

    The environment is read as requests does; aiohttp's reading of it differs (address ranges in NO_PROXY).

    Raises:
        InvalidArgument: If it is no address of an HTTP proxy; it may hold a password, so it is not shown.
    """
    from requests.utils import get_environ_proxies, select_proxy

    environment = get_environ_proxies(url) if transport.trust_env else {}
    chosen = select_proxy(url, dict(transport.proxies)) or select_proxy(url, environment)
    return _checked(chosen) if chosen else None


def _checked(proxy: str) -> str:
    text = proxy if "://" in proxy else f"http://{proxy}"
    try:
        place = urlsplit(text)
        valid = place.scheme in {"http", "https"} and is_name(place.hostname) and place.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise InvalidArgument(
            "The proxy to reach dbt Cloud cannot be used",
            why="It is not the address of an HTTP proxy, like http://proxy.example:3128 (SOCKS is not known)",
            fix="Correct 'proxies' in the connection's extra, or the variables HTTPS_PROXY and HTTP_PROXY",
        )
    return text

"""From what people write as a host to the addresses of dbt Cloud's services."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from dbtcloud.client.errors import InvalidArgument

LEGACY_HOST = "cloud.getdbt.com"
"""The shared host of old; dbt Labs retires the getdbt.com addresses on 2027-02-03 (access regions page)."""

EXAMPLE_HOST = "ab123.us1.dbt.com"


def base_url(
    host: str, *, port: int | None = None, scheme: str = "https", insecure_hosts: Collection[str] = ()
) -> str:
    """Scheme, host and port of an account, from a bare host or a full URL (whose path is dropped).

    Args:
        host: Such as "ab123.us1.dbt.com", "https://ab123.us1.dbt.com" or "http://127.0.0.1:8580".
        port: Used where `host` names none.
        scheme: Used where `host` names none.
        insecure_hosts: Names of hosts off this machine that may be spoken to in clear.

    Raises:
        InvalidArgument: If it is no address, holds a password, or would send the token in clear.
    """
    address = _split(host, scheme)
    allowed = {name.lower() for name in insecure_hosts}
    if address.scheme == "http" and not is_loopback(address.hostname) and address.hostname not in allowed:
        raise InvalidArgument(
            f"http://{address.hostname} would carry the API token over the network in clear",
            why="http is accepted for this machine's own loopback addresses only",
            fix="Write https://, or name the host in the connection's extra field allow_insecure_http",
        )
    name = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    place = address.port or port
    return f"{address.scheme}://{name}:{place}" if place else f"{address.scheme}://{name}"


def _split(host: str, scheme: str) -> SplitResult:
    text = host.strip()
    try:
        address = urlsplit(text if "://" in text else f"{scheme}://{text}")
        valid = address.scheme in {"http", "https"} and is_name(address.hostname) and address.port != 0
    except ValueError:
        valid = False
    if not valid or "@" in text or any(character.isspace() for character in text):
        raise InvalidArgument(
            "The connection's host is not an address of dbt Cloud",
            why="It holds a user name or password" if "@" in text else f"It reads {text[:100]!r}",
            fix=f"Write the Access URL from dbt Cloud's account settings, such as {EXAMPLE_HOST}",
        )
    return address


def is_name(hostname: str | None) -> bool:
    """Whether every HTTP library reads the same host in it: plain labels, or an IPv6 address."""
    if hostname and ":" in hostname:
        return ipaddress.IPv6Address(hostname).scope_id is None
    name = hostname or ""
    return len(name) < 254 and re.fullmatch(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", name) is not None


def is_loopback(hostname: str | None) -> bool:
    """Whether a host name or address is this machine's own."""
    if not hostname or hostname == "localhost" or hostname.endswith(".localhost"):
        return bool(hostname)
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def discovery_endpoint(given: str, *, insecure_hosts: Collection[str] = ()) -> str:
    """The address of the Discovery API as somebody wrote it; its path is `/graphql` where they left it out.

    Raises:
        InvalidArgument: As `base_url` does: the token goes there too.
    """
    path = _split(given, "https").path.rstrip("/") or "/graphql"
    return base_url(given, insecure_hosts=insecure_hosts) + path


def discovery_url(admin_url: str) -> str:
    """Where the Discovery API of an account is (dbt Cloud: "Discovery API", "Discovery API endpoint").

    Accounts with a prefix have `metadata` after it, the shared hosts before their name; on loopback it is
    `/graphql` of the same server.
    """
    address = urlsplit(admin_url)
    host = address.hostname or ""
    if is_loopback(host):
        return f"{admin_url}/graphql"
    prefix, _, region = host.partition(".")
    prefixed = re.fullmatch(r"\w+\.dbt\.com", region)
    return f"https://{prefix}.metadata.{region}/graphql" if prefixed else f"https://metadata.{host}/graphql"

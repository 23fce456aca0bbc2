"""Turn a host into the addresses of dbt Cloud's services."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.shown_text import is_like_token, shown_value

LEGACY_HOST = "cloud.getdbt.com"
"""The former shared host. dbt Labs retires it on 2027-02-03 (dbt docs: "Access, Regions & IP addresses")."""

EXAMPLE_HOST = "ab123.us1.dbt.com"


def base_url(
    host: str,
    *,
    port: int | None = None,
    scheme: str = "https",
    insecure_hosts: Collection[str] | None = None,
) -> str:
    """Return scheme, host and port of an account, from a host or a URL whose path is dropped.

    Args:
        host: Such as "ab123.us1.dbt.com", "https://ab123.us1.dbt.com" or "http://127.0.0.1:8580".
        port: The port, unless `host` has one.
        scheme: The scheme, unless `host` has one.
        insecure_hosts: Names of other machines that may be reached over plain http; None where no setting
            allows that.

    Raises:
        InvalidArgument: If it is not an address, holds a password, or would send the token unencrypted.
    """
    address = _split(host, scheme)
    allowed = {name.lower() for name in insecure_hosts or ()}
    if address.scheme == "http" and not is_loopback(address.hostname) and address.hostname not in allowed:
        raise InvalidArgument(
            f"The API token would travel to http://{address.hostname} unencrypted",
            why="http is accepted only for the loopback addresses of this machine",
            fix="Use https://"
            if insecure_hosts is None
            else "Use https://, or name it in allow_insecure_http",
        )
    hostname = _admin_host(address.hostname or "")
    name = f"[{hostname}]" if ":" in hostname else hostname
    port = address.port or port
    return f"{address.scheme}://{name}:{port}" if port else f"{address.scheme}://{name}"


def _split(host: str, scheme: str) -> SplitResult:
    text = host.strip()
    try:
        address = urlsplit(text if "://" in text else f"{scheme}://{text}")
        valid = (
            address.scheme in {"http", "https"} and is_valid_hostname(address.hostname) and address.port != 0
        )
    except ValueError:
        valid = False
    # In "https:/ab123.us1.dbt.com" a slash is missing: its host would be "https".
    if is_like_token(text) or re.match(r"https?:(?!//)", text, re.IGNORECASE):
        valid = False
    if not valid or "@" in text or any(character.isspace() for character in text):
        raise InvalidArgument(
            "The host of dbt Cloud is not a valid address",
            why="It holds a user name or a password" if "@" in text else f"It is {shown_value(text, 100)}",
            fix=f"Use the Access URL from dbt Cloud's account settings, such as {EXAMPLE_HOST}",
        )
    return address


def is_valid_hostname(hostname: str | None) -> bool:
    """Return whether every HTTP library reads the same host in it: plain labels, or an IPv6 address."""
    if hostname and ":" in hostname:
        return ipaddress.IPv6Address(hostname).scope_id is None
    name = hostname or ""
    return len(name) < 254 and re.fullmatch(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", name) is not None


def is_loopback(hostname: str | None) -> bool:
    """Return whether a host name or address belongs to this machine."""
    if not hostname or hostname == "localhost" or hostname.endswith(".localhost"):
        return bool(hostname)
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def is_certain_host(host: str) -> bool:
    """Return whether a host is certainly one of dbt Cloud: in dbt Labs' domains, or a URL of this machine.

    A name of this machine without a scheme may be that of a warehouse.
    """
    try:
        address = _split(host, "https")
    except InvalidArgument:
        return False
    return _is_dbt_labs(address.hostname) or ("://" in host and is_loopback(address.hostname))


def _admin_host(hostname: str) -> str:
    """Return the host of the account, also for that of its Discovery API or its Semantic Layer."""
    if not _is_dbt_labs(hostname):
        return hostname
    return re.sub(r"(?<![\w-])(metadata|semantic-layer)\.(?=[\w-]+\.(get)?dbt\.com$)", "", hostname)


def _is_dbt_labs(hostname: str | None) -> bool:
    return (hostname or "").endswith((".dbt.com", ".getdbt.com"))


def discovery_endpoint(given: str, *, insecure_hosts: Collection[str] | None = None) -> str:
    """Return the address of the Discovery API that a user gave, with the path `/graphql` if it has none.

    Raises:
        InvalidArgument: If `base_url` would refuse it: the token goes there too.
    """
    path = _split(given, "https").path.rstrip("/") or "/graphql"
    return base_url(given, insecure_hosts=insecure_hosts) + path


def discovery_url(admin_url: str) -> str:
    """Return the address of an account's Discovery API (dbt docs: "Query the Discovery API").

    It has `metadata` after the prefix of an account, or before the name of a shared host. On loopback it is
    `/graphql` of the same server.
    """
    address = urlsplit(admin_url)
    host = address.hostname or ""
    if is_loopback(host):
        return f"{admin_url}/graphql"
    prefix, _, region = host.partition(".")
    prefixed = re.fullmatch(r"[\w-]+\.dbt\.com", region)
    return f"https://{prefix}.metadata.{region}/graphql" if prefixed else f"https://metadata.{host}/graphql"

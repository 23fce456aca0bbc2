"""Reads an Airflow connection into the client's credentials, with a clear word on what is wrong with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.transport import address
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import DEFAULT_TIMEOUT, Transport

if TYPE_CHECKING:
    from airflow.sdk import Connection

REREAD_INTERVAL = 10.0
"""Seconds between two readings of a connection whose token is refused: it may be about to be rotated."""

log = logging.getLogger(__name__)


def credentials(conn: Connection, extra: Mapping[str, Any], timeout: float | None = None) -> Credentials:
    """What the connection says about the account, the token and the way to dbt Cloud.

    Args:
        conn: A connection of type dbt_cloud: host, login (account id), password (token).
        extra: Its extra, read: `proxies`, `discovery_url`, `verify`, `cert`, `trust_env`, `timeout`,
            `allow_insecure_http`, `account_id`.
        timeout: Seconds; goes before the extra's.

    Raises:
        InvalidArgument: If something in it cannot be used; the message says what, why, and what to put.
    """
    return Credentials(
        base_url=_base_url(conn, extra),
        token=(conn.password or "").strip(),
        account_id=str(conn.login or extra.get("account_id") or "").strip() or None,
        discovery_url=_discovery_url(extra),
        transport=transport(extra, timeout),
    )


def transport(extra: Mapping[str, Any], timeout: float | None = None) -> Transport:
    """How the connection's extra says to use the network; values may be JSON or text."""
    cert = _parsed(extra.get("cert"))
    return Transport(
        timeout=timeout or _seconds(extra.get("timeout")),
        proxies=_proxies(extra),
        verify=_switch_or_path(extra.get("verify"), "verify"),
        cert=(cert[0], cert[1]) if isinstance(cert, list) else cert or None,
        trust_env=_switch(extra.get("trust_env"), "trust_env"),
    )


def _discovery_url(extra: Mapping[str, Any]) -> str:
    given = extra.get("discovery_url")
    insecure = _names(extra.get("allow_insecure_http"))
    return address.discovery_endpoint(given, insecure_hosts=insecure) if given else ""


def _base_url(conn: Connection, extra: Mapping[str, Any]) -> str:
    insecure = _names(extra.get("allow_insecure_http"))
    scheme = "http" if conn.schema == "http" else "https"
    url = address.base_url(
        conn.host or address.LEGACY_HOST, port=conn.port, scheme=scheme, insecure_hosts=insecure
    )
    place = urlsplit(url)
    if place.hostname == address.LEGACY_HOST:
        _warn_of_legacy("The connection's host is" if conn.host else "The connection names no host, so it is")
    if place.scheme == "http" and not address.is_loopback(place.hostname):
        log.warning("The API token is sent to %s unencrypted, as allow_insecure_http permits.", url)
    return url


def _warn_of_legacy(reason: str) -> None:
    log.warning(
        "%s %s, which dbt Labs retires on 2027-02-03. Put the Access URL of your account there, such as %s "
        "(dbt Cloud: Account settings).",
        reason,
        address.LEGACY_HOST,
        address.EXAMPLE_HOST,
    )


def _proxies(extra: Mapping[str, Any]) -> dict[str, str]:
    proxies = _parsed(extra.get("proxies")) or {}
    if not isinstance(proxies, Mapping):
        raise InvalidArgument(
            "The connection's extra field 'proxies' cannot be read",
            why="It is not a JSON object",
            fix='Write it as {"https": "http://proxy.example:3128"}',
        )
    return {str(scheme): str(url) for scheme, url in proxies.items() if url}


def _seconds(value: object) -> float:
    if value in (None, ""):
        return DEFAULT_TIMEOUT
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise InvalidArgument(
            f"The connection's extra field 'timeout' is {value!r}", fix="Give a number of seconds above 0"
        )
    return seconds


def _switch(value: object, field: str) -> bool:
    switch = _switch_or_path(value, field)
    if isinstance(switch, str):
        raise InvalidArgument(
            f"The connection's extra field {field!r} is {value!r}", fix="Give true or false"
        )
    return switch


def _switch_or_path(value: object, field: str) -> bool | str:
    """True when nothing is given; forms hand booleans over as text."""
    text = "true" if value is None else str(value).strip()
    known = {"": True, "true": True, "1": True, "false": False, "0": False}
    if not isinstance(value, bool | int | str | None):
        raise InvalidArgument(
            f"The connection's extra field {field!r} is {value!r}", fix="Give true or false"
        )
    return known.get(text.lower(), text)


def _names(value: object) -> frozenset[str]:
    """Host names from a list or a comma-separated text."""
    parsed = _parsed(value)
    names = parsed if isinstance(parsed, list) else str(parsed or "").split(",")
    return frozenset(str(name).strip() for name in names if str(name).strip())


def _parsed(value: object) -> Any:
    """A value that a form may have handed over as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value

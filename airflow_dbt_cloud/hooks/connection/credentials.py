"""Read an Airflow connection into the client's credentials, or say which part of it cannot be used."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import identifier
from dbtcloud.client.secret_mask import mask_secret
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.transport import address
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport

if TYPE_CHECKING:
    from airflow.sdk import Connection

REREAD_INTERVAL = 10.0
"""Seconds between two readings of a connection whose token is refused: it may be about to be rotated."""

log = logging.getLogger(__name__)


def credentials(conn: Connection, extra: Mapping[str, Any], timeout: float | None = None) -> Credentials:
    """Return the account, the token and the network settings of a connection.

    Args:
        conn: A connection of type dbt_cloud: host, login (account id), password (token).
        extra: Its extra, read: `proxies`, `discovery_url`, `verify`, `cert`, `trust_env`, `timeout`,
            `allow_insecure_http`, `account_id`, `max_json_mib`, `max_artifact_mib`, `max_compression_ratio`.
        timeout: Seconds; it takes precedence over the extra's.

    Raises:
        InvalidArgument: If something in it cannot be used. The message says what, why, and what to write.
    """
    token = (conn.password or "").strip()
    try:
        return _credentials(conn, _checked_extra(extra), token, timeout)
    except InvalidArgument as error:
        # The token may stand in another field, too.
        error.mask(lambda text: mask_secret(text, token))
        raise


def check_token(conn: Connection, conn_id: str) -> None:
    """Check that a connection has a token.

    Raises:
        InvalidArgument: If it has none. The message says which line to change.
    """
    if conn.password:
        return
    # Airflow reads a URI whose scheme no URI can have as the path of one without a scheme.
    if not conn.conn_type and "//" in (conn.schema or ""):
        raise InvalidArgument(
            f"Airflow cannot read the URI of connection {conn_id!r}",
            why="The name before its :// has a character that URIs do not allow there, such as the "
            "underscore of dbt_cloud://",
            fix=f"Let the URI begin with dbt-cloud:// where you set the connection, such as in the variable "
            f"AIRFLOW_CONN_{conn_id.upper()}, or write the connection as JSON",
        )
    raise InvalidArgument(
        f"An API token is required, and connection {conn_id!r} has none",
        fix="Put a service token into its field API Token (password)",
    )


def account_number(credentials: Credentials) -> str:
    """Return the account id of a connection that names one.

    Raises:
        InvalidArgument: If it is not a number. The message does not show a token that was pasted there.
    """
    try:
        return identifier(credentials.account_id, "account id")
    except InvalidArgument as error:
        swapped = " and the token into API Token (password): they stand the other way round"
        refused = InvalidArgument(
            error.what,
            why=error.why,
            fix="Put the account's number into the connection's field Account ID (login)"
            f"{swapped if credentials.token.isdigit() else ''}",
        )
    refused.mask(credentials.mask)
    raise refused


def _credentials(
    conn: Connection, extra: Mapping[str, Any], token: str, timeout: float | None
) -> Credentials:
    insecure_hosts = _names(extra.get("allow_insecure_http"))
    discovery_url = str(extra.get("discovery_url") or "")
    if discovery_url:
        discovery_url = address.discovery_endpoint(discovery_url, insecure_hosts=insecure_hosts)
    return Credentials(
        base_url=_base_url(conn, insecure_hosts),
        token=token,
        account_id=str(conn.login or extra.get("account_id") or "").strip() or None,
        discovery_url=discovery_url,
        transport=_transport({**extra, "timeout": timeout or extra.get("timeout")}),
    )


def _checked_extra(extra: object) -> Mapping[str, Any]:
    if not isinstance(extra, Mapping):
        raise InvalidArgument(
            "The connection's extra cannot be used",
            why="It is not a JSON object",
            fix='Write it as {"timeout": 60}, or leave it empty',
        )
    return extra


def _transport(extra: Mapping[str, Any]) -> Transport:
    """Return the network settings of the extra, with the defaults for those that it leaves out."""
    parsers = {
        "timeout": _positive,
        "max_json_mib": _positive,
        "max_artifact_mib": _positive,
        "max_compression_ratio": _positive,
        "proxies": _proxies,
        "verify": _switch_or_path,
        "cert": _certificate,
        "trust_env": _switch,
    }
    given = {name: extra.get(name) for name in parsers}
    settings: dict[str, Any] = {
        name: parsers[name](value, name) for name, value in given.items() if value not in (None, "")
    }
    return Transport(**settings)


def _base_url(conn: Connection, insecure_hosts: Collection[str]) -> str:
    scheme = "http" if conn.schema == "http" else "https"
    url = address.base_url(
        conn.host or address.LEGACY_HOST, port=conn.port, scheme=scheme, insecure_hosts=insecure_hosts
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


def _proxies(value: object, field: str) -> dict[str, str]:
    proxies = _parsed(value) or {}
    if not isinstance(proxies, Mapping):
        raise InvalidArgument(
            f"The connection's extra field {field!r} cannot be read",
            why="It is not a JSON object",
            fix='Write it as {"https": "http://proxy.example:3128"}',
        )
    return {str(scheme): str(url) for scheme, url in proxies.items() if url}


def _certificate(value: object, field: str) -> str | tuple[str, str]:
    """Return the path of a file, or those of certificate and key."""
    match _parsed(value):
        case str(path) | [str(path)]:
            return path
        case [str(path), str(key)]:
            return path, key
    raise InvalidArgument(
        f"The connection's extra field {field!r} cannot be used",
        why="It is neither a path nor a list of two paths",
        fix='Write it as "/path/to/client.pem", or as ["/path/to/client.crt", "/path/to/client.key"]',
    )


def _positive(value: object, field: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        unit = "seconds" if field == "timeout" else "MiB" if field.endswith("mib") else "bytes for one"
        raise InvalidArgument(
            f"The connection's extra field {field!r} is {shown_value(value)}",
            fix=f"Give a number of {unit} above 0",
        )
    return number


def _switch(value: object, field: str) -> bool:
    switch = _switch_or_path(value, field)
    if isinstance(switch, str):
        raise InvalidArgument(
            f"The connection's extra field {field!r} is {shown_value(value)}", fix="Give true or false"
        )
    return switch


def _switch_or_path(value: object, field: str) -> bool | str:
    """Return the boolean or the path that a form may have stored as text. Blank text is True."""
    text = str(value).strip()
    known = {"": True, "true": True, "1": True, "false": False, "0": False}
    if not isinstance(value, bool | int | str):
        raise InvalidArgument(
            f"The connection's extra field {field!r} is {shown_value(value)}", fix="Give true or false"
        )
    return known.get(text.lower(), text)


def _names(value: object) -> frozenset[str]:
    """Return host names from a list or a comma-separated text."""
    parsed = _parsed(value) if value else ""
    names = parsed if isinstance(parsed, list) else str(parsed or "").split(",")
    return frozenset(str(name).strip() for name in names if str(name).strip())


def _parsed(value: object) -> Any:
    """Return a value that a form may have handed over as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value

"""Find the credentials of a client: given, in the environment, or in a file.

The places in their order, which the page "Give credentials" of the documentation lists:

1. variables that begin with `DBT_CLOUD_`;
2. dlt's variables, which begin with `DBT_CLOUD__`, with the host of the first place;
3. the active project of `~/.dbt/dbt_cloud.yml`, the file of dbt's own tools;
4. `DBT_TOKEN`, `DBT_ACCOUNT_ID`, and `DBT_BASE_URL` or `DBT_HOST`.

The first place with a token counts, and account and host come from it as well. Only what a program gives can
be combined with them. In many dbt projects, `DBT_HOST` is the warehouse of a `profiles.yml`. So a token that
a program gives never goes to the host of the last place, and `DBT_HOST` counts only if it is dbt Cloud's for
certain.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Id, identifier
from dbtcloud.client.transport.address import EXAMPLE_HOST, base_url, is_certain_host
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.resources.base.client_errors import CredentialsMissing
from dbtcloud.resources.base.dbt_cloud_yml import SETTINGS_FILE, read_active_project

log = logging.getLogger(__name__)

_FIX = {
    "token": "Give token, or set {} to a service token or a personal access token",
    "host": "Give host, or set {}: it is the Access URL in dbt Cloud's account settings, such as "
    f"{EXAMPLE_HOST}",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A place that may have credentials, of which each is empty if it has none.

    Attributes:
        name: What the place is called in a message.
        fault: Why it could not be read, or "".
        is_sure: Whether its host is certainly one of dbt Cloud, where any token may go.
        sources: The names of what gave "token", "account_id" and "host".
        unused: The names of what is set and does not count.
        host_name: Where a host can be set.
    """

    name: str
    token: str = ""
    account_id: str = ""
    host: str = ""
    fault: str = ""
    is_sure: bool = True
    sources: Mapping[str, str] = field(default_factory=dict)
    unused: Sequence[str] = ()
    host_name: str = "DBT_CLOUD_HOST"

    def source(self, kind: str) -> str:
        """Return the name of what gave "token", "account_id" or "host"."""
        return self.sources.get(kind, self.name)


@dataclass(frozen=True, slots=True)
class _Variables:
    """Names of environment variables, of which the first that is set counts."""

    tokens: Sequence[str]
    accounts: Sequence[str]
    hosts: Sequence[str]
    is_sure: bool = True

    def read(self) -> _Place:
        """Return what the environment has."""
        names = {"token": self.tokens, "account_id": self.accounts, "host": self.hosts}
        known = dict.fromkeys((*self.tokens, *self.accounts, *self.hosts))
        values = {name: value for name in known if (value := os.environ.get(name, "").strip())}
        found = {kind: [each for each in names[kind] if each in values] for kind in names}
        sources = {kind: each[0] for kind, each in found.items() if each}
        return _Place(
            ", ".join(known),
            **{kind: values[name] for kind, name in sources.items()},
            is_sure=self.is_sure,
            sources=sources,
            unused=[name for name in values if name not in sources.values()],
            host_name=self.hosts[0],
        )


_HOSTS = ("DBT_CLOUD_HOST", "DBT_CLOUD_ACCESS_URL", "DBT_CLOUD_BASE_URL")

_OWN_VARIABLES = _Variables(
    ("DBT_CLOUD_TOKEN", "DBT_CLOUD_API_TOKEN", "DBT_CLOUD_API_KEY", "DBT_CLOUD_SERVICE_TOKEN"),
    ("DBT_CLOUD_ACCOUNT_ID",),
    _HOSTS,
)
# dlt has no variable for the host: it knows only cloud.getdbt.com.
_DLT_VARIABLES = _Variables(
    ("DBT_CLOUD__API_TOKEN",), ("DBT_CLOUD__ACCOUNT_ID", "DBT_CLOUD_ACCOUNT_ID"), _HOSTS
)
_BARE_VARIABLES = _Variables(("DBT_TOKEN",), ("DBT_ACCOUNT_ID",), ("DBT_BASE_URL", "DBT_HOST"), is_sure=False)


def _read_bare_variables() -> _Place:
    place = _BARE_VARIABLES.read()
    if place.source("host") != "DBT_HOST" or is_certain_host(place.host):
        return place
    fault = (
        "DBT_HOST is not used, because it may be the host of a warehouse: it is neither in dbt.com nor in "
        "getdbt.com. If it is dbt Cloud's, set DBT_BASE_URL to it."
    )
    return replace(place, host="", fault=fault)


def _read_file() -> _Place:
    project = read_active_project()
    return _Place(
        SETTINGS_FILE,
        project.token,
        project.account_id,
        project.host,
        project.fault,
        host_name=f"account-host in {SETTINGS_FILE}",
    )


_PLACES: Sequence[Callable[[], _Place]] = (
    _OWN_VARIABLES.read,
    _DLT_VARIABLES.read,
    _read_file,
    _read_bare_variables,
)


def find_credentials(
    token: str | None = None,
    account_id: Id | None = None,
    host: str | None = None,
    *,
    transport: Transport | None = None,
) -> Credentials:
    """Return the credentials that a program gives, completed by those of one place.

    Args:
        token: The token, or None for that of the first place that has one.
        account_id: The account, or None for that of the place.
        host: The host, or None for that of the place.
        transport: Network settings.

    Raises:
        CredentialsMissing: If there is no token, or no host.
        InvalidArgument: If a value cannot be used.
    """
    given = {"token": _given_text("token", token), "host": _given_text("host", host)}
    is_complete = account_id is not None and all(given.values())
    place, searched = (_Place(""), []) if is_complete else _find_place(given)
    found_token, found_host = given["token"] or place.token, given["host"] or place.host
    for name, value in (("token", found_token), ("host", found_host)):
        if not value:
            raise _missing(name, given, place, searched)
    found_account = place.account_id if account_id is None else str(account_id)
    return Credentials(
        base_url=base_url(found_host) if given["host"] else _found_url(found_host, place),
        token=found_token,
        account_id=_checked_account(found_account, place, is_given=account_id is not None),
        transport=transport or Transport(),
    )


def _given_text(name: str, value: object) -> str:
    if isinstance(value, str | None):
        return (value or "").strip()
    texts = {"get_secret_value": f"{name}.get_secret_value()", "decode": f"{name}.decode()"}
    fix = next((text for method, text in texts.items() if hasattr(value, method)), f"str({name})")
    raise InvalidArgument(f"The {name} is of the type {type(value).__name__}, no text", fix=f"Give {fix}")


def _found_url(host: str, place: _Place) -> str:
    try:
        return base_url(host)
    except InvalidArgument as error:
        why = f"{error.why}. It is from {place.source('host')}"
        raise InvalidArgument(error.what, why=why, fix=error.fix) from None


def _find_place(given: Mapping[str, str]) -> tuple[_Place, list[_Place]]:
    """Return the place that completes what is given, and the places that were searched."""
    searched: list[_Place] = []
    found: list[_Place] = []
    for read in _PLACES:
        if found and not log.isEnabledFor(logging.DEBUG):
            break  # to read the file takes time
        place = read()
        searched.append(place)
        found += [place] if _completes(place, given) else []
    if not found:
        return _Place(""), searched
    if log.isEnabledFor(logging.DEBUG):
        _log_winner(given, found)
    return found[0], searched


def _log_winner(given: Mapping[str, str], found: Sequence[_Place]) -> None:
    winner, others = found[0], found[1:]
    used = [name for kind, name in winner.sources.items() if not given.get(kind)] or [winner.name]
    unused = [*winner.unused, *(name for each in others for name in (*each.sources.values(), each.name)[:1])]
    log.debug(
        "What is not given of the credentials for dbt Cloud comes from %s. Not used: %s.",
        ", ".join(used),
        ", ".join(unused) or "none",
    )


def _completes(place: _Place, given: Mapping[str, str]) -> bool:
    """Return whether a place has what is missing of the given token and host."""
    if not given["token"]:
        return bool(place.token)
    return place.is_sure and bool(place.account_id if given["host"] else place.host)


def _missing(
    name: str, given: Mapping[str, str], place: _Place, searched: Sequence[_Place]
) -> CredentialsMissing:
    if place.name:
        why = f"The token comes from {place.source('token')}, and no {name} is there"
        why = f"{why}. Other places are not combined with it. {place.fault}".rstrip(". ")
    else:
        places = "; ".join(each.name for each in searched if each.is_sure or not given["token"])
        faults = " ".join(each.fault for each in searched if each.fault)
        why = f"None was given, and these places have none: {places}. {faults}".rstrip(". ")
    return CredentialsMissing(name, [each.name for each in searched], why=why, fix=_fix(name, place))


def _fix(name: str, place: _Place) -> str:
    return _FIX[name].format(place.host_name if name == "host" else "DBT_CLOUD_TOKEN")


def _checked_account(account: str, place: _Place, *, is_given: bool) -> str | None:
    if not account:
        return None
    try:
        return identifier(account, "account id")
    except InvalidArgument as error:
        if is_given:
            raise
        raise InvalidArgument(
            "The account id of dbt Cloud is not a number",
            why=f"It is from {place.source('account_id')}",
            fix=error.fix,
        ) from None

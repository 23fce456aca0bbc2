"""Check what a token can read, for a test of the connection."""

from __future__ import annotations

from collections.abc import Callable

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import get_data
from dbtcloud.client.errors import ApiError, DbtCloudError, Forbidden, NotFound
from dbtcloud.client.protocol import Call, Id, Request

_FIRST_ROW = {"limit": 1}
_REMARK = "Only running a job shows whether the token may run jobs."


def check_access(account_id: Id) -> Call[str]:
    """Return a sentence on what the token can read: the account, its projects, its jobs.

    Raises:
        DbtCloudError: If it can read nothing. The message says which of host, token and account is wrong.
    """
    kinds: dict[str, Callable[[], Call[object]]] = {
        "account": lambda: endpoints.get_account(account_id),
        "projects": lambda: get_data(Request.get(account_id, "projects", version="v3", query=_FIRST_ROW)),
        "jobs": lambda: get_data(Request.get(account_id, "jobs", query=_FIRST_ROW)),
    }
    refusals: dict[str, ApiError] = {}
    for kind, call in kinds.items():
        try:
            yield from call()
        except (Forbidden, NotFound) as error:
            refusals[kind] = error
    readable = [kind for kind in kinds if kind not in refusals]
    if not readable:
        raise (yield from _account_error(account_id, refusals["account"]))
    return " ".join(
        [
            f"Connected to account {account_id}: the token can read {_and(readable)}.",
            *_restrictions(refusals),
            _REMARK,
        ]
    )


def _restrictions(refusals: dict[str, ApiError]) -> list[str]:
    if not refusals:
        return []
    return [f"It cannot read {_and(list(refusals))}, so give job ids instead of names."]


def _account_error(account_id: Id, refusal: ApiError) -> Call[DbtCloudError]:
    """Return the error for an account that the token cannot read, with the accounts that it can."""
    try:
        readable = [f"{account.id} ({account.name})" for account in (yield from endpoints.list_accounts())]
    except DbtCloudError:
        readable = []
    others = f"; the token can read {_and(readable)}" if readable else ""
    return DbtCloudError(
        f"The token is valid, but it cannot read account {account_id}",
        why=f"dbt Cloud answered {refusal.status}{others}",
        fix="Correct the Account ID, or give the token a permission set of that account",
    )


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

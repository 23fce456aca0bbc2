"""Finds out what a token can read, to tell people whether their connection is right."""

from __future__ import annotations

from collections.abc import Callable

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import ApiError, DbtCloudError, Forbidden, NotFound
from dbtcloud.client.protocol import Call

FIRST = {"limit": 1}
REMARK = "Whether it may run jobs cannot be known without running one."


def check_access(account_id: Id) -> Call[str]:
    """Say what the token can read in the account: the account itself, its projects, its jobs.

    Raises:
        DbtCloudError: Naming which of host, token and account is wrong, when nothing can be read.
    """
    kinds: dict[str, Callable[[], Call[object]]] = {
        "account": lambda: endpoints.get_account(account_id),
        "projects": lambda: endpoints.one(endpoints.read(account_id, "projects", version="v3", query=FIRST)),
        "jobs": lambda: endpoints.one(endpoints.read(account_id, "jobs", query=FIRST)),
    }
    refusals: dict[str, ApiError] = {}
    for kind, call in kinds.items():
        try:
            yield from call()
        except (Forbidden, NotFound) as error:
            refusals[kind] = error
    readable = [kind for kind in kinds if kind not in refusals]
    if not readable:
        raise (yield from _wrong_account(account_id, refusals["account"]))
    return " ".join(
        [
            f"Connected to account {account_id}: the token can read {_and(readable)}.",
            *_limits(refusals),
            REMARK,
        ]
    )


def _limits(refusals: dict[str, ApiError]) -> list[str]:
    if not refusals:
        return []
    return [f"It may not read {_and(list(refusals))}: jobs then need their id rather than their names."]


def _wrong_account(account_id: Id, refusal: ApiError) -> Call[DbtCloudError]:
    """The error for an account of which nothing can be read, with the accounts that the token does see."""
    try:
        seen = [f"{account.id} ({account.name})" for account in (yield from endpoints.list_accounts())]
    except DbtCloudError:
        seen = []
    return DbtCloudError(
        f"The token is accepted, but it can read nothing of account {account_id}",
        why=f"dbt Cloud answered {refusal.status}" + (f"; the token sees {_and(seen)}" if seen else ""),
        fix="Correct the Account ID, or give the token a permission set of that account",
    )


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

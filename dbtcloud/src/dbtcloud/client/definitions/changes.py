"""Calls that create, update and delete objects of the API, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from dbtcloud.client.models import Json
from dbtcloud.client.protocol import Call, Id, Request, Response, T, ask_for, ask_for_data


def create_object(
    account_id: Id, path: str, fields: Mapping[str, Any], parse: Callable[[Any], T], *, version: str = "v3"
) -> Call[T]:
    """Create an object, and return it. Fields that are None are left out.

    Args:
        account_id: The account.
        path: The path of the list that it belongs to, after the account.
        fields: Its fields.
        parse: Makes the object of the answer's `data`.
        version: "v2" or "v3".
    """
    body = {name: value for name, value in fields.items() if value is not None}
    request = Request.any(account_id, "POST", path, params={}, body=body, version=version)
    return (yield from ask_for_data(request, parse))


def update_object(
    account_id: Id,
    path: str,
    changes: Mapping[str, Any],
    parse: Callable[[Any], T],
    *,
    read_only: Collection[str],
    body: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    method: str = "POST",
) -> Call[T]:
    """Change fields of an object of v3, and return it.

    dbt Cloud replaces the whole object, and resets what is not sent. So it is read first, and all that it has
    is sent with the changes, also fields that no documentation names.

    Args:
        account_id: The account.
        path: The path of the object, after the account.
        changes: The fields that change.
        parse: Makes the object of the answer's `data`.
        read_only: Fields of the object that dbt Cloud does not take.
        body: Makes the body of the other fields, for what is sent in another form than it came.
        method: "POST" or "PUT".
    """
    read = Request.any(account_id, "GET", path, params={}, body=None, version="v3")

    def merge(data: Any) -> Json:
        parse(data)
        kept = {name: value for name, value in data.items() if name not in read_only}
        return body({**kept, **changes})

    merged = yield from ask_for_data(read, merge)
    request = Request.any(account_id, method, path, params={}, body=merged, version="v3")
    # Sending the same fields again changes nothing more.
    return (yield from ask_for_data(replace(request, repeatable=True), parse))


def delete_object(account_id: Id, path: str, *, body: Json | None = None, version: str = "v3") -> Call[None]:
    """Delete an object. dbt Cloud answers with it, or with nothing.

    Args:
        account_id: The account.
        path: The path of the object, after the account.
        body: What is sent as JSON, or None.
        version: "v2" or "v3".
    """
    request = Request.any(account_id, "DELETE", path, params={}, body=body, version=version)

    def check(response: Response) -> None:
        if response.body.strip():
            response.envelope(request)

    yield from ask_for(request, check)

"""Decorators that fill in the connection's account where a call names none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Id = int | str
"""An id as users write it: dbt Cloud's number, or that number as text."""


def fallback_to_default_account(func: Callable[P, T]) -> Callable[P, T]:
    """Give a hook's method the connection's account when `account_id` is None or not given."""
    parameters = signature(func)

    @wraps(func)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        bound = parameters.bind(*args, **kwargs)
        if bound.arguments.get("account_id") is None:
            hook: Any = bound.args[0]  # whose method this is
            bound.arguments["account_id"] = hook._resolve_account_id()  # noqa: SLF001 -- its hook's own
        return func(*bound.args, **bound.kwargs)

    return wrapper


def provide_account_id(func: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Give a hook's coroutine the connection's account when `account_id` is None or not given."""
    parameters = signature(func)

    @wraps(func)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        bound = parameters.bind(*args, **kwargs)
        if bound.arguments.get("account_id") is None:
            hook: Any = bound.args[0]  # whose method this is
            bound.arguments["account_id"] = await hook._resolve_account_id_async()  # noqa: SLF001 -- as above
        return await func(*bound.args, **bound.kwargs)

    return wrapper


def require_account(account_id: Id | None) -> Id:
    """Return the account that one of the decorators has filled in."""
    assert account_id is not None
    return account_id

"""Distinguishes our own verbs, and what they have read, from those that a user has put in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_Verb = TypeVar("_Verb", bound=Callable[..., Any])
_OWN: set[object] = set()


def own_verb(verb: _Verb) -> _Verb:
    """Register a method as our own: it may be called with more than the official arguments."""
    _OWN.add(verb)
    return verb


def is_replaced(verb: Callable[..., Any]) -> bool:
    """Return whether a hook's verb is not ours: patched, overridden in a subclass, or of a stand-in.

    It is then called with the official arguments, and what it returns counts.
    """
    return getattr(verb, "__func__", None) not in _OWN


def has_read_run(hook: object, run_id: int | str) -> bool:
    """Return whether dbt Cloud itself has described a run to this hook.

    If replaced verbs have described it, it may exist in a test only, and nothing more is requested about it.
    """
    return int(run_id) in getattr(hook, "__dict__", {}).get("_read_runs", ())


def url_of_run(hook: object, run_id: int | str) -> str | None:
    """Return the web page of a run that our own verbs have read with this hook, or None."""
    url: str | None = getattr(hook, "__dict__", {}).get("_urls", {}).get(int(run_id))
    return url

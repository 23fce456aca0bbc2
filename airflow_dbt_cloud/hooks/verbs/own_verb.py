"""Tells our own verbs from those that a user has put in their place."""

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

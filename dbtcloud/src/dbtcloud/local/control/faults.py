"""Fault injection: rules that make the next requests, or a share of them, go wrong."""

import random
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from fnmatch import translate
from itertools import count
from typing import Any

from dbtcloud.local.control.type_check import check_types

_KINDS = (
    "status",
    "reset",
    "delay",
    "cut",
    "html",
    "redirect",
    "not_found_after_start",
    "refuse_pk__in",
)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A rule: which requests go wrong, and how. `dbtcloud.local.api.middleware` applies it.

    Attributes:
        kind: `status`, `reset`, `delay`, `cut`, `html`, `redirect`, `not_found_after_start` or
            `refuse_pk__in`.
        route: the paths: a glob (`*/runs/*`), or a regular expression (searched for) when it begins with `^`.
        method: the method; None matches any.
        count: how many matching requests it hits; None for all.
        rate: the share of matching requests it hits, from 0 to 1.
        seed: seed of the random numbers behind `rate`.
        after_acting: whether the server carries out the request before it goes wrong.
        status: the status code of `status` (default 500), `html` (200) and `redirect` (302).
        retry_after: seconds in the Retry-After header of `status`.
        body: the body of `status` and `html`, in place of the usual one.
        location: the target of `redirect`.
        seconds: the duration of `delay` and `not_found_after_start`.
    """

    kind: str
    route: str = "*"
    method: str | None = None
    count: int | None = None
    rate: float = 1.0
    seed: int = 0
    after_acting: bool = False
    status: int | None = None
    retry_after: float | None = None
    body: str | None = None
    location: str = "/login/"
    seconds: float = 0.0

    def matches(self, method: str, path: str) -> bool:
        """Return whether the rule's method and route match a request."""
        pattern = self.route if self.route.startswith("^") else translate(self.route)
        return (self.method or method).upper() == method and re.search(pattern, path) is not None


@dataclass(slots=True)
class _ActiveRule:
    id: int
    rule: FaultRule
    random: random.Random
    hits: int = 0
    seen: int = 0

    def hit(self) -> bool:
        """Count a matching request, and return whether it goes wrong."""
        if self.rule.count is not None and self.hits >= self.rule.count:
            return False
        self.seen += 1
        hit = self.rule.rate >= 1 or self.random.random() < self.rule.rate
        self.hits += hit
        return hit


class FaultInjector:
    """The fault rules in force. The first one that hits a request is applied."""

    def __init__(self) -> None:
        self._active: list[_ActiveRule] = []
        self._ids = count(1)

    def add(self, document: Any) -> int:
        """Add a rule and return its id.

        Raises:
            ValueError: The rule is wrong. The message names the field.
        """
        rule = _parse_rule(document)
        generator = random.Random(rule.seed)  # noqa: S311 - repeatable, not secret
        self._active.append(_ActiveRule(next(self._ids), rule, generator))
        return self._active[-1].id

    def clear(self) -> None:
        """Remove all rules."""
        self._active.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Return the rules with their ids, how many requests they have seen and how many they have hit."""
        return [
            {"id": each.id, "seen": each.seen, "hits": each.hits, **asdict(each.rule)}
            for each in self._active
        ]

    def pick(self, method: str, path: str, applies: Callable[[FaultRule], bool]) -> FaultRule | None:
        """Return the rule that hits a request, or None.

        Args:
            method: the request's method.
            path: the request's path.
            applies: checks what a rule needs beside method and path.
        """
        for each in self._active:
            if each.rule.matches(method, path) and applies(each.rule) and each.hit():
                return each.rule
        return None


def _parse_rule(document: Any) -> FaultRule:
    known = [entry.name for entry in fields(FaultRule)]
    if not isinstance(document, dict) or document.get("kind") not in _KINDS:
        raise ValueError(f"A fault is an object whose kind is one of {', '.join(_KINDS)}; got {document!r}.")
    if unknown := sorted(set(document) - set(known)):
        raise ValueError(f"A fault has no {', '.join(unknown)}. Its fields are {', '.join(known)}.")
    check_types(FaultRule, document, "a fault")
    rule = FaultRule(**document)
    try:
        rule.matches("GET", "/")
    except re.error as error:
        raise ValueError(f"The route {rule.route!r} is not a regular expression: {error}.") from None
    return rule

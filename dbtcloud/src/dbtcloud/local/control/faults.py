"""Faults to rehearse: rules that make the next requests, or a share of them, go wrong."""

import random
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from fnmatch import translate
from itertools import count
from typing import Any

from dbtcloud.local.control.type_check import check_types

KINDS = (
    "status",
    "reset",
    "delay",
    "cut",
    "html",
    "redirect",
    "not_found_after_start",
    "refuse_pk__in",
)
"""What a rule can do; `dbtcloud.local.api.fault_middleware` does it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        kind: one of `KINDS`.
        route: which paths: a glob (`*/runs/*`), or a regular expression searched for when it begins with `^`.
        method: which method; None is any.
        count: how many matching requests it hits, None for all.
        rate: the share of matching requests it hits, from 0 to 1.
        seed: of the random numbers behind `rate`.
        after_acting: whether the request is carried out before it goes wrong.
        status: the code of `status` (default 500), `html` (200) and `redirect` (302).
        retry_after: seconds in a Retry-After header, of `status`.
        body: the body of `status` and `html`, in place of the usual one.
        location: where `redirect` leads.
        seconds: of `delay` and `not_found_after_start`.
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
        """Return whether the rule is about such a request."""
        pattern = self.route if self.route.startswith("^") else translate(self.route)
        return (self.method or method).upper() == method and re.search(pattern, path) is not None


@dataclass(slots=True)
class _Active:
    id: int
    rule: Rule
    random: random.Random
    hits: int = 0
    seen: int = field(default=0)


class Faults:
    """The rules in force; the first that hits a request decides."""

    def __init__(self) -> None:
        self._active: list[_Active] = []
        self._ids = count(1)

    def add(self, document: Any) -> int:
        """Put a rule in force and return its id; ValueError names what is wrong with it."""
        rule = _rule(document)
        self._active.append(_Active(next(self._ids), rule, random.Random(rule.seed)))  # noqa: S311 - chance, not secrecy
        return self._active[-1].id

    def clear(self) -> None:
        """Withdraw every rule."""
        self._active.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return the rules with their ids, how many requests they saw and how many they hit."""
        return [
            {"id": each.id, "seen": each.seen, "hits": each.hits, **asdict(each.rule)}
            for each in self._active
        ]

    def strike(self, method: str, path: str, concerns: Callable[[Rule], bool]) -> Rule | None:
        """Return the rule that hits this request, if one does; `concerns` looks closer than its path."""
        for each in self._active:
            if each.rule.matches(method, path) and concerns(each.rule) and self._hits(each):
                return each.rule
        return None

    def _hits(self, each: _Active) -> bool:
        if each.rule.count is not None and each.hits >= each.rule.count:
            return False
        each.seen += 1
        hit = each.rule.rate >= 1 or each.random.random() < each.rule.rate
        each.hits += hit
        return hit


def _rule(document: Any) -> Rule:
    known = [entry.name for entry in fields(Rule)]
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        raise ValueError(f"A fault is an object whose kind is one of {', '.join(KINDS)}; got {document!r}.")
    if unknown := sorted(set(document) - set(known)):
        raise ValueError(f"A fault does not know {', '.join(unknown)}; it takes {', '.join(known)}.")
    check_types(Rule, document, "a fault")
    rule = Rule(**document)
    try:
        rule.matches("GET", "/")
    except re.error as error:
        raise ValueError(f"The route {rule.route!r} is no regular expression: {error}.") from None
    return rule

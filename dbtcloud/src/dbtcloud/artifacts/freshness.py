"""How fresh a source or a model has to be (dbt: "freshness")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from dbtcloud.artifacts.json_values import as_mapping, as_number, as_text

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
"""Seconds of dbt's periods."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Limits of age; None where there is none.

    Attributes:
        warn_after: Age from which a source is worth a warning.
        error_after: Age from which it is an error.
        build_after: Age from which a model is worth building anew (`config.freshness` of a model).
        where: The condition on the rows that count (`filter`), or "".
    """

    warn_after: timedelta | None = None
    error_after: timedelta | None = None
    build_after: timedelta | None = None
    filter: str = ""

    @classmethod
    def parse(cls, data: object) -> Self | None:
        """Read `freshness` or `criteria`; None where it limits nothing."""
        if not isinstance(data, Mapping):
            return None
        warn, error, build = (_age(data.get(name)) for name in ("warn_after", "error_after", "build_after"))
        if warn is error is build is None:
            return None
        return cls(warn, error, build, as_text(data.get("filter")))


def _age(data: object) -> timedelta | None:
    """A count of periods; dbt writes nulls where nothing was set."""
    told = as_mapping(data)
    periods, unit = as_number(told.get("count")), _UNITS.get(as_text(told.get("period")))
    if periods is None or unit is None:
        return None
    try:
        return timedelta(seconds=periods * unit)
    except OverflowError:
        return None

"""Limits for the age of a source or a model (dbt: "freshness")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from dbtcloud.artifacts.json_values import Fields

_PERIOD_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Freshness:
    """Limits for the age of a source or a model. A limit that is not set is None.

    Attributes:
        warn_after: Age from which dbt warns about a source.
        error_after: Age from which a source is an error.
        build_after: Age from which a model is built again (`config.freshness` of a model).
        filter: The SQL condition on the rows that count, or "".
    """

    warn_after: timedelta | None = None
    error_after: timedelta | None = None
    build_after: timedelta | None = None
    filter: str = ""

    @classmethod
    def parse(cls, data: object) -> Self | None:
        """Parse `freshness` or `criteria`. Return None if it sets no limit."""
        limits = Fields(data)
        warn, error = _age(limits.mapping("warn_after")), _age(limits.mapping("error_after"))
        build = _age(limits.mapping("build_after"))
        if warn is error is build is None:
            return None
        return cls(warn, error, build, limits.text("filter"))


def _age(limit: Fields) -> timedelta | None:
    """Return a number of periods as a duration. dbt writes nulls if no limit was set."""
    periods, unit = limit.number("count"), _PERIOD_SECONDS.get(limit.text("period"))
    if periods is None or unit is None:
        return None
    try:
        return timedelta(seconds=periods * unit)
    except OverflowError:
        return None

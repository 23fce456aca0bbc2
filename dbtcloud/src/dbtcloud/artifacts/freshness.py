"""Limits for the age of a source or a model (dbt: "freshness")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from dbtcloud.artifacts.json_values import as_mapping, as_number, as_text

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
        if not isinstance(data, Mapping):
            return None
        warn, error, build = (_age(data.get(name)) for name in ("warn_after", "error_after", "build_after"))
        if warn is error is build is None:
            return None
        return cls(warn, error, build, as_text(data.get("filter")))


def _age(data: object) -> timedelta | None:
    """Return a number of periods as a duration. dbt writes nulls if no limit was set."""
    limit = as_mapping(data)
    periods, unit = as_number(limit.get("count")), _PERIOD_SECONDS.get(as_text(limit.get("period")))
    if periods is None or unit is None:
        return None
    try:
        return timedelta(seconds=periods * unit)
    except OverflowError:
        return None

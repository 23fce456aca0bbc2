"""Reads `sources.json`: how fresh sources were when dbt checked them (schema v3).

dbt 2.0's `dbt freshness` writes `freshness.json` (schema v0), which also has models, with the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Fields
from dbtcloud.artifacts.statuses import normalize_status

_FIELDS = frozenset(
    {
        "unique_id",
        "status",
        "max_loaded_at",
        "snapshotted_at",
        "max_loaded_at_time_ago_in_s",
        "criteria",
        "error",
    }
)


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """The freshness of a source, or of a model in freshness.json.

    Attributes:
        unique_id: Its unique id, such as "source.shop.raw.orders" or "model.shop.orders".
        status: dbt's status in lower case: pass, warn, error, runtime error.
        loaded_at: The time of the newest row, or None if dbt could not read it.
        checked_at: The time of dbt's check, or None if dbt could not check it.
        age: The seconds between the two, or None.
        criteria: The limits that dbt compared with, or None.
        error: The database's error message, or "".
    """

    unique_id: str
    status: str
    loaded_at: datetime | None = None
    checked_at: datetime | None = None
    age: float | None = None
    criteria: Freshness | None = None
    error: str = ""

    @property
    def stale(self) -> bool:
        """Whether the source was older than its limit for errors, or could not be checked."""
        return self.status in {"error", "runtime error"}


def read_sources(stream: IO[bytes]) -> tuple[SourceFreshness, ...]:
    """Return the freshness of all sources, and in freshness.json of models, in dbt's order.

    Raises:
        InvalidArtifact: If it is neither a sources.json nor a freshness.json.
    """
    return tuple(_sources(stream_entries(stream, "sources", {"results": _FIELDS}, needed="results")))


def _sources(entries: Iterator[tuple[str, str, Any]]) -> Iterator[SourceFreshness]:
    for section, _, data in entries:
        if section == "results" and data.text("unique_id"):
            yield _source(data)


def _source(data: Fields) -> SourceFreshness:
    return SourceFreshness(
        unique_id=data.text("unique_id"),
        status=normalize_status(data.text("status")) or "unknown",
        loaded_at=data.time("max_loaded_at"),
        checked_at=data.time("snapshotted_at"),
        age=data.number("max_loaded_at_time_ago_in_s"),
        criteria=Freshness.parse(data.get("criteria")),
        error=data.text("error"),
    )

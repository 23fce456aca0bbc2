"""Reads `sources.json`: how fresh sources were when dbt looked (schema v3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Json, as_number, as_text, as_time

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
    """How fresh a source was.

    Attributes:
        unique_id: Such as "source.shop.raw.orders".
        status: dbt's word: pass, warn, error, runtime error.
        loaded_at: The newest row's time; None where that could not be asked.
        checked_at: When dbt looked.
        age: Seconds between the two.
        wanted: The limits that it was measured by, or None.
        error: The database's own words where it could not be asked, or "".
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
        """Whether it was older than it may be, or could not be asked."""
        return self.status in {"error", "runtime error"}


def read_sources(stream: IO[bytes]) -> tuple[SourceFreshness, ...]:
    """The sources of a sources.json, in dbt's order.

    Raises:
        InvalidArtifact: If it is no such file.
    """
    return tuple(_sources(stream_entries(stream, "sources", {"results": _FIELDS}, needed="results")))


def _sources(entries: Iterator[tuple[str, str, Any]]) -> Iterator[SourceFreshness]:
    for section, _, data in entries:
        if section == "results" and as_text(data.get("unique_id")):
            yield _source(data)


def _source(data: Json) -> SourceFreshness:
    return SourceFreshness(
        unique_id=as_text(data.get("unique_id")),
        status=as_text(data.get("status")) or "unknown",
        loaded_at=as_time(data.get("max_loaded_at")),
        checked_at=as_time(data.get("snapshotted_at")),
        age=as_number(data.get("max_loaded_at_time_ago_in_s")),
        criteria=Freshness.parse(data.get("criteria")),
        error=as_text(data.get("error")),
    )

"""Batches of microbatch models: the ranges of time that dbt builds one after the other, in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from dbtcloud.artifacts.json_values import Fields

BATCH_SIZES = ("hour", "day", "month", "year")
"""Values of `batch_size`, the shortest first (dbt: "batch_size")."""


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """A range of time, from `start` until before `end`.

    Attributes:
        start: When it starts.
        end: When it ends.
    """

    start: datetime
    end: datetime

    @classmethod
    def parse_list(cls, value: object) -> tuple[Self, ...]:
        """Parse a list of pairs of times, without those that are no ranges."""
        pairs = value if isinstance(value, list) else []
        return tuple(batch for pair in pairs if (batch := cls._parse(pair)) is not None)

    @classmethod
    def _parse(cls, pair: object) -> Self | None:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        fields = Fields({"start": pair[0], "end": pair[1]})
        start, end = fields.time("start"), fields.time("end")
        if start is None or end is None:
            return None
        batch = cls(_in_utc(start), _in_utc(end))
        return batch if batch.start < batch.end else None

    @classmethod
    def merge(cls, batches: Iterable[Self]) -> list[Self]:
        """Return the ranges that the batches form, in order, with those that touch as one."""
        merged: list[Self] = []
        for batch in sorted(batches):
            if merged and batch.start <= merged[-1].end:
                merged[-1] = cls(merged[-1].start, max(merged[-1].end, batch.end))
            else:
                merged.append(batch)
        return merged

    @classmethod
    def hull(cls, batches: Iterable[Self]) -> Self:
        """Return the range from the first batch to the last one."""
        each = list(batches)
        return cls(min(batch.start for batch in each), max(batch.end for batch in each))

    def __str__(self) -> str:
        return f"{_short(self.start)} to {_short(self.end)}"


@dataclass(frozen=True, slots=True)
class Microbatch:
    """The configuration of a microbatch model.

    Attributes:
        batch_size: "hour", "day", "month" or "year".
        lookback: The number of batches before the latest one that each run builds again.
        full_refresh: Whether each run builds the table from its beginning.
    """

    batch_size: str
    lookback: int = 1
    full_refresh: bool = False

    @classmethod
    def parse(cls, config: Fields) -> Self | None:
        """Parse a model's `config`, or return None for a model that is no microbatch model."""
        size = config.text("batch_size").lower()
        if config.text("incremental_strategy").lower() != "microbatch" or size not in BATCH_SIZES:
            return None
        lookback = config.integer("lookback")
        return cls(size, 1 if lookback is None else lookback, config.get("full_refresh") is True)

    def window(self, moment: datetime) -> Batch:
        """Return what a run at this moment builds of a table that exists (dbt: "lookback")."""
        latest = self._truncated(_in_utc(moment))
        start = latest
        for _ in range(self.lookback):
            start = self._truncated(start - timedelta(seconds=1))
        return Batch(start, self._next(latest))

    def _truncated(self, moment: datetime) -> datetime:
        size = BATCH_SIZES.index(self.batch_size)
        return moment.replace(
            month=1 if size > 2 else moment.month,
            day=1 if size > 1 else moment.day,
            hour=0 if size > 0 else moment.hour,
            minute=0,
            second=0,
            microsecond=0,
        )

    def _next(self, start: datetime) -> datetime:
        longest = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}
        return self._truncated(start + longest.get(self.batch_size, timedelta(days=366)))


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%d %H:%M:%S}"

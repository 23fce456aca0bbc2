"""The server's clock, which tests can move forward, and dbt Cloud's formats of times.

Instants are microseconds since 1970, UTC. Durations are microseconds as well.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_CENTURY = 100 * 365 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


class Clock:
    """The time of this machine, plus the time that the clock was moved forward.

    Attributes:
        listeners: called whenever the clock is moved, so that due events happen at once.
    """

    def __init__(self) -> None:
        self._advanced = 0
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> int:
        """Return the current instant in microseconds since 1970, UTC."""
        return time.time_ns() // 1_000 + self._advanced

    def advance(self, seconds: float) -> int:
        """Move the clock forward and return the new instant.

        Raises:
            ValueError: `seconds` is negative or more than a century.
        """
        # Never backwards: a finished run would be running again.
        if not 0 <= seconds <= _CENTURY:
            raise ValueError(f"The clock can move forward by 0 to {_CENTURY} seconds, not by {seconds}.")
        self._move_to(self._advanced + round(seconds * SECOND))
        return self.now()

    def reset(self) -> None:
        """Return to the time of this machine."""
        self._move_to(0)

    def _move_to(self, advanced: int) -> None:
        self._advanced = advanced
        for listener in tuple(self.listeners):
            listener()


class Timestamp:
    """The two formats of instants in dbt Cloud's responses, and the formats that it reads."""

    @staticmethod
    def spaced(instant: int | None) -> str | None:
        """Return an instant as runs show it: `2024-07-03 13:59:00.653171+00:00`, always with six decimals."""
        return None if instant is None else Timestamp.as_datetime(instant).isoformat(" ", "microseconds")

    @staticmethod
    def iso(instant: int | None) -> str | None:
        """Return an instant as jobs show it: `2024-03-25T13:47:20.129690+00:00`."""
        return None if instant is None else Timestamp.as_datetime(instant).isoformat("T", "microseconds")

    @staticmethod
    def parse(text: str) -> int:
        """Return the instant of an ISO 8601 timestamp. Without an offset it is UTC.

        Raises:
            ValueError: The text is no timestamp, or it is out of range.
        """
        parsed = datetime.fromisoformat(text)
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        try:
            return (aware.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        except OverflowError:
            raise ValueError(f"{text} is out of range") from None

    @staticmethod
    def as_datetime(instant: int) -> datetime:
        """Return an instant as an aware datetime in UTC."""
        return _EPOCH + timedelta(microseconds=instant)


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration in dbt Cloud's two formats: `00:01:50` and `1 minute, 50 seconds`."""

    microseconds: int

    def clock(self) -> str:
        """Return the duration as `HH:MM:SS`, with more than 24 hours if need be."""
        minutes, seconds = divmod(self._seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02}:{minutes:02}:{seconds:02}"

    def humanised(self) -> str:
        """Return the duration in its two largest units. Less than a second is `0 minutes`."""
        seconds = self._seconds
        if seconds == 0:
            return "0 minutes"
        if seconds < 60:
            return _counted(seconds, "second")
        return _two_largest(seconds)

    @property
    def _seconds(self) -> int:
        return max(self.microseconds, 0) // SECOND


def _two_largest(seconds: int) -> str:
    units = (*_UNITS, ("second", 1))
    first = next(index for index, (_, size) in enumerate(units) if seconds >= size)
    count, rest = divmod(seconds, units[first][1])
    words = [_counted(count, units[first][0])]
    if first + 1 < len(units):
        name, size = units[first + 1]
        words += [_counted(rest // size, name)] if rest >= size else []
    return ", ".join(words)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"

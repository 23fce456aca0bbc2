"""The server's clock, which tests can move forward. Instants are microseconds since 1970, UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_CENTURY = 100 * 365 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def spaced_timestamp(instant: int | None) -> str | None:
    """Return an instant as runs show it: `2024-07-03 13:59:00.653171+00:00`, always with six decimals."""
    return None if instant is None else as_datetime(instant).isoformat(" ", "microseconds")


def iso_timestamp(instant: int | None) -> str | None:
    """Return an instant as jobs show it: `2024-03-25T13:47:20.129690+00:00`."""
    return None if instant is None else as_datetime(instant).isoformat("T", "microseconds")


def parse_instant(text: str) -> int:
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


def as_datetime(instant: int) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)

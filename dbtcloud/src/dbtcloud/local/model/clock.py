"""The server's clock: integer microseconds since 1970 (UTC), which tests can move forward."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_CENTURY = 100 * 365 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall-clock time plus whatever it was advanced by.

    Attributes:
        followers: are called whenever it was moved, so that what was due meanwhile happens at once.
    """

    def __init__(self) -> None:
        self._advanced = 0
        self.followers: list[Callable[[], None]] = []

    def now(self) -> int:
        """Return the present instant in microseconds since 1970, UTC."""
        return time.time_ns() // 1_000 + self._advanced

    def advance(self, seconds: float) -> int:
        """Move forward by `seconds` (never back: runs do not un-finish) and return the new instant."""
        if not 0 <= seconds <= _CENTURY:
            raise ValueError(f"The clock goes forward by 0 to {_CENTURY} seconds, not by {seconds}.")
        self._move_to(self._advanced + round(seconds * SECOND))
        return self.now()

    def reset(self) -> None:
        """Return to wall-clock time."""
        self._move_to(0)

    def _move_to(self, advanced: int) -> None:
        self._advanced = advanced
        for follow in tuple(self.followers):
            follow()


def spaced_timestamp(instant: int | None) -> str | None:
    """Write an instant as runs carry it: `2024-07-03 13:59:00.653171+00:00`, always with six decimals."""
    return None if instant is None else as_datetime(instant).isoformat(" ", "microseconds")


def iso_timestamp(instant: int | None) -> str | None:
    """Write an instant as jobs carry it: `2024-03-25T13:47:20.129690+00:00`."""
    return None if instant is None else as_datetime(instant).isoformat("T", "microseconds")


def parse_instant(text: str) -> int:
    """Read an ISO 8601 moment (UTC where it names no offset) into microseconds; ValueError if it is none."""
    parsed = datetime.fromisoformat(text)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    try:
        return (aware.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        raise ValueError(f"{text} is beyond the years that can be told") from None


def as_datetime(instant: int) -> datetime:
    """Return an instant as an aware datetime, UTC."""
    return _EPOCH + timedelta(microseconds=instant)

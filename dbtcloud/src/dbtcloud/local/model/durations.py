"""Durations in dbt Cloud's two formats: `00:01:50` and `1 minute, 50 seconds`."""

from dbtcloud.local.model.clock import SECOND

_UNITS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


def clock_duration(microseconds: int) -> str:
    """Return a duration as `HH:MM:SS`, with more than 24 hours if need be."""
    minutes, seconds = divmod(max(microseconds, 0) // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


def humanise_duration(microseconds: int) -> str:
    """Return a duration in its two largest units. Less than a second is `0 minutes`."""
    seconds = max(microseconds, 0) // SECOND
    if seconds == 0:
        return "0 minutes"
    if seconds < 60:
        return _counted(seconds, "second")
    return _two_largest(seconds)


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

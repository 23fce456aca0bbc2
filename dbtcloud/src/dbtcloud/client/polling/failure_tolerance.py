"""Which faults a wait lives through: a pure decision, shared by worker and triggerer."""

from __future__ import annotations

from collections.abc import Callable

from dbtcloud.client.errors import ConnectionUnreadable, DbtCloudError, Forbidden, NotFound, Unauthorized

GRACE: dict[type[DbtCloudError], float] = {
    Unauthorized: 300.0,
    Forbidden: 300.0,
    ConnectionUnreadable: 300.0,
    NotFound: 60.0,
}
"""Seconds that an answer may stand before it is believed: a token may be being rotated, and a run that was
just started may not be readable yet (about one in a hundred is not). Airflow says that a connection is not
defined also when it could not ask."""


class FailureTolerance:
    """Counts how long looks have failed, and says whether the wait goes on.

    An answer stands from one failed look to the next that fails the same: an hour in which dbt Cloud could
    not be reached does not make a token wrong.

    Args:
        clock: Seconds that only grow.
        log: Told once when a row of failures begins, and once when it ends.
    """

    __slots__ = ("_began", "_clock", "_last", "_log", "_stood")

    def __init__(self, clock: Callable[[], float], log: Callable[[str], object]) -> None:
        self._clock, self._log = clock, log
        self._stood: dict[type[DbtCloudError], float] = {}
        self._began = self._last = 0.0

    def succeeded(self) -> None:
        """A look came back."""
        if self._stood:
            self._log(f"dbt Cloud answers again after {self._clock() - self._began:.0f} s.")
        self._stood.clear()

    def goes_on(self, error: DbtCloudError) -> bool:
        """Whether to look again after `error`; each kind is logged once in a row of failures."""
        now, kind = self._clock(), type(error)
        first = kind not in self._stood
        if not self._stood:
            self._began = now
        self._stood[kind] = 0.0 if first else self._stood[kind] + now - self._last
        self._last = now
        grace = next((seconds for known, seconds in GRACE.items() if isinstance(error, known)), None)
        lasts = error.retryable if grace is None else self._stood[kind] < grace
        if first and lasts:
            self._log(f"Could not look at the run, which may well go on; looking again. {error}")
        return lasts

"""Decide which failed polls end a wait. Worker and triggerer share this decision."""

from __future__ import annotations

from collections.abc import Callable

from dbtcloud.client.errors import ConnectionUnreadable, DbtCloudError, Forbidden, NotFound, Unauthorized

GRACE: dict[type[DbtCloudError], float] = {
    Unauthorized: 300.0,
    Forbidden: 300.0,
    ConnectionUnreadable: 300.0,
    NotFound: 60.0,
}
"""Seconds that an error is ignored before it ends the wait. Somebody may be rotating the token; a new run may
not be readable yet (about one in a hundred is not); and Airflow reports a connection as undefined even if it
could not look it up."""


class FailureTolerance:
    """The failed polls of one wait, and the decision whether it may continue.

    Only the time between polls that fail with the same error counts: an hour in which dbt Cloud cannot be
    reached does not make a token wrong.

    Args:
        clock: Returns seconds that only grow.
        log: Called with a message on the first of several failed polls, and after the last.
    """

    __slots__ = ("_clock", "_durations", "_failing_since", "_last_failure", "_log")

    def __init__(self, clock: Callable[[], float], log: Callable[[str], object]) -> None:
        self._clock, self._log = clock, log
        self._durations: dict[type[DbtCloudError], float] = {}
        self._failing_since = self._last_failure = 0.0

    def succeeded(self) -> None:
        """Note that a poll succeeded."""
        if self._durations:
            self._log(f"dbt Cloud answers again after {self._clock() - self._failing_since:.0f} s.")
        self._durations.clear()

    def tolerates(self, error: DbtCloudError) -> bool:
        """Return whether to poll again. Each kind of error is logged once until a poll succeeds."""
        now, kind = self._clock(), type(error)
        first = kind not in self._durations
        if not self._durations:
            self._failing_since = now
        self._durations[kind] = 0.0 if first else self._durations[kind] + now - self._last_failure
        self._last_failure = now
        grace = next((seconds for known, seconds in GRACE.items() if isinstance(error, known)), None)
        tolerated = error.retryable if grace is None else self._durations[kind] < grace
        if first and tolerated:
            self._log(f"Could not poll the run; it may still be running. Polling again. {error}")
        return tolerated

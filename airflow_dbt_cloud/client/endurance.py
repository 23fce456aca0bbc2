"""Which faults a wait lives through: a pure decision, shared by worker and triggerer."""

from __future__ import annotations

from collections.abc import Callable

from airflow_dbt_cloud.client.errors import ApiError, DbtCloudError, Forbidden, NotFound, Unauthorized

GRACE: dict[type[ApiError], float] = {Unauthorized: 300.0, Forbidden: 300.0, NotFound: 60.0}
"""Seconds that an answer may stand before it is believed: a token may be being rotated, and a run that was
just started may not be readable yet (about one in a hundred is not)."""


class Endurance:
    """Counts how long looks have failed, and says whether the wait goes on.

    Args:
        clock: Seconds that only grow.
        log: Told once when a row of failures begins, and once when it ends.
    """

    def __init__(self, clock: Callable[[], float], log: Callable[[str], object]) -> None:
        self._clock, self._log = clock, log
        self._since: float | None = None
        self._kind: type[DbtCloudError] | None = None

    def succeeded(self) -> None:
        """A look came back."""
        if self._since is not None:
            self._log(f"dbt Cloud answers again after {self._clock() - self._since:.0f} s.")
        self._since = self._kind = None

    def goes_on(self, error: DbtCloudError) -> bool:
        """Whether to look again after `error`; it is logged when it is the first of its kind in a row."""
        if type(error) is not self._kind:
            self._kind, self._since = type(error), self._clock()
            self._log(f"Could not look at the run, which may well go on; looking again. {error}")
        assert self._since is not None
        grace = next((seconds for kind, seconds in GRACE.items() if isinstance(error, kind)), None)
        if grace is not None:
            return self._clock() - self._since < grace
        return error.retryable

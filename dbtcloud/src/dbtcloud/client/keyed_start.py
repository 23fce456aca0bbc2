"""Start one run for each key, also in later calls and from other processes.

The key is digested into the marker of the run's cause (see `marker`). So each call can see in the list of the
job's runs whether the key has been used.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from dbtcloud.client import endpoints
from dbtcloud.client.errors import AmbiguousStart, DbtCloudError, InvalidArgument
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Json, Run
from dbtcloud.client.protocol import Call
from dbtcloud.client.run_search import FoundRuns, RunSearch
from dbtcloud.client.run_start import start_run
from dbtcloud.client.shown_text import shown_value

log = logging.getLogger(__name__)

KEY_AGE = timedelta(days=14)
"""How long a key is remembered at least: a search goes back so far from the job's newest run."""

_MARKER_START = "[af:"


@dataclass(frozen=True, slots=True)
class KeyedStart:
    """The start of a run that has a key.

    Attributes:
        account_id: The account.
        job_id: The job.
        key: The key. It counts for this job alone.
        cause: Why the run is started. It gets the marker.
        overrides: The other fields of "Trigger Job Run".
    """

    account_id: int
    job_id: int
    key: str
    cause: str
    overrides: Json

    @property
    def marker(self) -> Marker:
        """The marker of the run: its `task` is that of the key, its `payload` that of the overrides."""
        task = Marker.digest("once_key", self.account_id, self.job_id, self.key)
        return Marker(task, 0, 0, f"{Marker.payload_digest(self.job_id, dict(self.overrides))}0")

    def start(self, *, time_left: Callable[[], float] = lambda: math.inf) -> Call[Run]:
        """Return the run that was started with the key, or else start one.

        Args:
            time_left: Returns the seconds that a search after an unclear answer may still take.

        Raises:
            InvalidArgument: If the run with the key has other overrides.
            AmbiguousStart: If it is not clear whether there is such a run, or whether this call started one.
            DbtCloudError: If a request fails.
        """
        found = yield from self._search(KEY_AGE)
        if found:
            log.info("Run %s has this once_key already, so no other run is started.", found[-1].id)
            return self._checked(found[-1])
        if found.doubts:
            why = f"A run with this once_key may be there already: {'; '.join(found.doubts)}"
            raise AmbiguousStart(self.marker.task, why=why)
        payload = {**self.overrides, "cause": self.marker.add_to(self.cause)}
        run = yield from start_run(self.account_id, self.job_id, payload, time_left=time_left)
        return (yield from self._replace_duplicate(run))

    def _search(self, age: timedelta) -> Call[FoundRuns]:
        """Search for the runs with the key, newest first."""
        return (yield from RunSearch(self.account_id, self.job_id, self._has_key, age=age).find())

    def _has_key(self, run: Run) -> bool | None:
        """Return whether a run has the key, or None if its cause does not show that.

        Another call may have had another cause, so only what is left of a marker shows that one was cut.
        """
        own, shown = self.marker, Marker.find(run.cause)
        if shown is not None:
            return shown.task == own.task
        is_cut = _MARKER_START in (run.cause or "") or own.may_be_missing_from(run.cause, "")
        return None if is_cut else False

    def _checked(self, run: Run) -> Run:
        shown = Marker.find(run.cause)
        if shown is not None and shown.payload == self.marker.payload:
            return run
        raise InvalidArgument(
            f"The once_key {shown_value(self.key)} belongs to run {run.id} of job {self.job_id}, "
            "which has other overrides",
            why="A key stands for one start of a job. This call asks for something else",
            fix="Give the overrides of that run, or another once_key",
        )

    def _replace_duplicate(self, run: Run) -> Call[Run]:
        """Return the first run with the key. If that is not this one, cancel this one.

        Two calls at the same moment may both find no run, and start one each.
        """
        try:
            found = yield from self._search(timedelta(0))
            first = min(found, key=lambda each: each.id, default=run)
            if first.id >= run.id:
                return run
            log.warning("Run %s has the same once_key as run %s, so it is cancelled.", run.id, first.id)
            yield from endpoints.cancel_run(self.account_id, run.id)
        except DbtCloudError as error:
            log.warning("Could not make sure that run %s is the only one with its key: %s", run.id, error)
            return run
        return self._checked(first)

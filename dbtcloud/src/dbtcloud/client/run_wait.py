"""Wait for a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from dbtcloud.client.errors import DbtCloudError, RunTimedOut
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Sleep

LAST_POLL_SECONDS = 0.8
"""Seconds that a poll may take although the wait is over: a run that has ended meanwhile should be seen."""


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """The interval and the end of polling.

    Attributes:
        interval: Seconds between two polls.
        timeout: Seconds after which the wait ends.
        clock: Returns seconds that only grow; `time.monotonic`, unless a test has its own.
        limit: Bounds the requests within its block to so many seconds; `time_limit` of the transport.
    """

    interval: float
    timeout: float
    clock: Callable[[], float]
    limit: Callable[[float], AbstractContextManager[object]] = nullcontext

    def wait_for_run(
        self,
        run_id: int,
        read_run: Callable[[], Call[Run]],
        tolerance: FailureTolerance,
        *,
        until: Callable[[Run], bool] = lambda run: run.finished,
    ) -> Call[Run]:
        """Poll a run until it has the wanted status, and return it.

        Args:
            run_id: The run.
            read_run: Makes the call that reads the run.
            tolerance: Decides which failed polls are ignored.
            until: Returns whether the run has the wanted status; by default, whether it has ended.

        Raises:
            RunTimedOut: If the timeout is reached first.
            DbtCloudError: If a poll fails with an error that is not ignored.
        """
        deadline, status, url = self.clock() + self.timeout, 0, None
        while True:
            with self.limit(max(LAST_POLL_SECONDS, deadline - self.clock())):
                run = yield from _poll(read_run, tolerance)
            if run is not None and until(run):
                return run
            if run is not None:
                status, url = run.status, run.href or url
            left = deadline - self.clock()
            if left <= 0:
                raise RunTimedOut(run_id, status, self.timeout, url=url)
            yield Sleep(min(self.interval, left))  # the last pause ends with the timeout


def _poll(read_run: Callable[[], Call[Run]], tolerance: FailureTolerance) -> Call[Run | None]:
    """Return the run, or None if the poll failed with an error that is ignored."""
    try:
        run = yield from read_run()
    except DbtCloudError as error:
        if not tolerance.tolerates(error):
            raise
        return None
    tolerance.succeeded()
    return run

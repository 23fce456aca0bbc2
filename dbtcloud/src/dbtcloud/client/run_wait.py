"""Wait for a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbtcloud.client.errors import DbtCloudError, RunTimedOut
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.protocol import Call, Sleep

if TYPE_CHECKING:
    from dbtcloud.client.models import Run

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
        return (yield from self.polls(run_id, read_run, tolerance).next_run(until))

    def polls(self, run_id: int, read_run: Callable[[], Call[Run]], tolerance: FailureTolerance) -> RunPolls:
        """Return the polls of one wait, whose timeout begins now."""
        return RunPolls(self, run_id, read_run, tolerance)


class RunPolls:
    """The polls of one wait for a run, with one timeout for all of them.

    Args:
        schedule: Their interval and timeout.
        run_id: The run.
        read_run: Makes the call that reads the run.
        tolerance: Decides which failed polls are ignored.
    """

    def __init__(
        self,
        schedule: PollSchedule,
        run_id: int,
        read_run: Callable[[], Call[Run]],
        tolerance: FailureTolerance,
    ) -> None:
        self._schedule, self._run_id, self._read_run = schedule, run_id, read_run
        self._tolerance, self._ends_at = tolerance, schedule.clock() + schedule.timeout
        self._is_first, self._status = True, 0
        self._url: str | None = None
        self._failure: DbtCloudError | None = None

    def next_run(self, until: Callable[[Run], bool] = lambda _: True) -> Call[Run]:
        """Poll until the run has the wanted status, and return it.

        Args:
            until: Returns whether the run has the wanted status; by default, each one is wanted.

        Raises:
            RunTimedOut: If the timeout is reached first. If the last poll has failed, its error is the cause.
            DbtCloudError: If a poll fails with an error that is not ignored.
        """
        while True:
            yield from self._pause()
            with self._schedule.limit(max(LAST_POLL_SECONDS, self.seconds_left())):
                run = yield from self._poll()
            if run is not None:
                self._status, self._url = run.status, run.href or self._url
                if until(run):
                    return run

    def seconds_left(self) -> float:
        """Return the seconds until the timeout."""
        return self._ends_at - self._schedule.clock()

    def _pause(self) -> Call[None]:
        """Wait for the next poll, which is the last one if the timeout ends the pause."""
        if self._is_first:
            self._is_first = False
            return
        left = self.seconds_left()
        if left <= 0:
            timeout = self._schedule.timeout
            raise RunTimedOut(self._run_id, self._status, timeout, url=self._url) from self._failure
        yield Sleep(min(self._schedule.interval, left))

    def _poll(self) -> Call[Run | None]:
        """Return the run, or None if the poll failed with an error that is ignored."""
        try:
            run = yield from self._read_run()
        except DbtCloudError as error:
            if not self._tolerance.tolerates(error):
                raise
            self._failure = error
            return None
        self._failure = None
        self._tolerance.succeeded()
        return run

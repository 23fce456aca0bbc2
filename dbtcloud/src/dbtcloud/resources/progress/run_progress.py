"""Waits for a run, and notices each change of its status and of its steps."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from dbtcloud.client import endpoints
from dbtcloud.client.errors import InvalidArgument, MalformedResponse
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Id, identifier
from dbtcloud.client.run_wait import PollSchedule, RunPolls
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.transport.time_limit import time_limit

log = logging.getLogger(__name__)

POLL_INTERVAL = 10.0
"""Seconds between two polls of a run."""

LONGEST_RUN = 86_400.0
"""Seconds after which a wait ends by itself. dbt Cloud cancels runs after a day."""

_MAX_SECONDS = 366 * 86_400

OnProgress: TypeAlias = Callable[[Run], object]
"""Called with a run, with its steps, whenever its status or its current step has changed."""


def poll_schedule(interval: float, timeout: float | None) -> PollSchedule:
    """Return the schedule of a wait.

    Args:
        interval: Seconds between two polls.
        timeout: Seconds after which it ends; `LONGEST_RUN` if None.

    Raises:
        InvalidArgument: If one of them is not such a number.
    """
    seconds = LONGEST_RUN if timeout is None else _seconds("timeout", timeout)
    if _seconds("interval", interval) == 0:
        raise InvalidArgument(
            "The interval between two polls is 0 seconds",
            why="dbt Cloud allows an account 5,000 requests per minute",
            fix=f"Give a longer one; the default is {POLL_INTERVAL:g} seconds",
        )
    return PollSchedule(interval, seconds, time.monotonic, time_limit)


def _seconds(name: str, value: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 <= value <= _MAX_SECONDS):
        raise InvalidArgument(
            f"The {name} of {shown_value(value)} is not a number of seconds",
            fix=f"Give a number from 0 to {_MAX_SECONDS:,}",
        )
    return float(value)


def tolerant_polls(schedule: PollSchedule, run_id: int, read_run: Callable[[], Call[Run]]) -> RunPolls:
    """Return polls of a run that no fault ends which may pass. The first failed ones are logged.

    Args:
        schedule: Their interval and their timeout, which begins now.
        run_id: The run.
        read_run: Makes the call that reads the run.
    """
    return schedule.polls(run_id, read_run, FailureTolerance(time.monotonic, log.warning))


class RunProgress:
    """A run that is polled until it has ended.

    Args:
        account_id: The account.
        run_id: The run.
        schedule: The interval and the timeout, which begins now.
        with_steps: Whether the run is read with its steps, whose changes count then, too.

    Raises:
        InvalidArgument: If the id is not a number.
    """

    def __init__(self, account_id: Id, run_id: Id, schedule: PollSchedule, *, with_steps: bool) -> None:
        self._account_id, self._run_id = account_id, int(identifier(run_id, "run id"))
        self._with_steps, self._last = with_steps, (0, 0, 0)
        self._polls = tolerant_polls(schedule, self._run_id, self._read)

    def end(self) -> Call[Run]:
        """Wait for the run's end, and return it.

        Raises:
            RunTimedOut: If the timeout is reached first.
            DbtCloudError: If polling fails for good.
        """
        return (yield from self._polls.next_run(lambda run: run.finished))

    def next_change(self) -> Call[Run]:
        """Wait until the status or the current step has another value than before, and return the run.

        The first status of all counts as a change.

        Raises:
            RunTimedOut: If the timeout is reached first.
            DbtCloudError: If polling fails for good.
        """
        return (yield from self._polls.next_run(self._has_changed))

    def next_item(self) -> Call[Sequence[Run]]:
        """Wait for the next change as `next_change` does, and return the run as the only item."""
        return [(yield from self.next_change())]

    def _has_changed(self, run: Run) -> bool:
        _, index, step_status = self._last
        step = run.current_step
        found = (run.status, step.index, step.status) if step else (run.status, index, step_status)
        has_changed, self._last = found != self._last, found
        return has_changed

    def _read(self) -> Call[Run]:
        if self._with_steps:
            try:
                related = ["run_steps"]
                return (yield from endpoints.get_run(self._account_id, self._run_id, include_related=related))
            except MalformedResponse as error:
                # The logs of the steps come with them and may be too large, which would hide the run's end.
                log.warning("The steps of run %s cannot be read. %s", self._run_id, error)
        return (yield from endpoints.get_run(self._account_id, self._run_id))


def check_callback(on_progress: OnProgress) -> None:
    """Check that a callback can be called as a plain function.

    Raises:
        InvalidArgument: If it is a coroutine function, or not callable.
    """
    if not callable(on_progress):
        raise InvalidArgument("on_progress cannot be called", fix="Give a function that takes a run")
    if inspect.iscoroutinefunction(on_progress):
        raise InvalidArgument(
            "on_progress is a coroutine function",
            why="It is called, and what it returns is not awaited",
            fix="Give a plain function, or use 'async for run in client.runs.watch(run_id)'",
        )

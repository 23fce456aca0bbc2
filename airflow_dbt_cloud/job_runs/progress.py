"""Log the progress of a run in a task's log: changes of status, and steps as they start."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from dbtcloud.client.models import Run


class ProgressLog:
    """Logs each status and each step of a run once.

    Args:
        run_id: The run.
        log: The task's log.
    """

    __slots__ = ("_status", "_steps", "log", "run_id")

    def __init__(self, run_id: int | str, log: Logger) -> None:
        self.run_id, self.log = run_id, log
        self._status: int | None = None
        self._steps: tuple[int, ...] = ()

    def log_status(self, status: int) -> bool:
        """Log a status if it is new, and return whether it was."""
        if status == self._status:
            return False
        self._status = status
        self.log.info("dbt Cloud run %s: %s.", self.run_id, RunStatus.name_of(status))
        return True

    def log_steps(self, read: Callable[[], Run]) -> None:
        """Log the steps that have started since, if they can be read."""
        try:
            self.log_steps_of(read())
        except Exception as error:  # noqa: BLE001 -- progress is a courtesy; the wait decides about errors
            self.log_unreadable_steps(error)

    def log_steps_of(self, run: Run) -> None:
        """Log the steps of a run that were not logged yet."""
        for step in run.steps:
            if step.index not in self._steps:
                self._steps += (step.index,)
                self.log.info("dbt Cloud run %s, step %d: %s", self.run_id, step.index, step.name)

    def log_unreadable_steps(self, error: Exception) -> None:
        """Log for debugging that steps could not be read."""
        self.log.debug("The steps of run %s cannot be read: %s", self.run_id, error)


class StepPolls:
    """Decides when to poll a run's steps in a triggerer that may watch thousands of runs.

    Steps cost a request for each run. They are polled when the run starts running, then once a minute, and
    only while few runs are watched in this process.

    Args:
        clock: Returns seconds that never decrease.
    """

    INTERVAL: ClassVar[float] = 60.0
    FEW: ClassVar[int] = 50
    _watched: ClassVar[int] = 0
    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: float | None = None

    @classmethod
    def count_run(cls) -> _RunCount:
        """Count a run as watched for as long as a `with` block lasts."""
        return _RUN_COUNT

    @classmethod
    def apply_to(cls, status: int | None) -> bool:
        """Return whether the steps of a run with this status are polled at all."""
        return status == RunStatus.RUNNING and cls._watched <= cls.FEW

    def due(self, status: int) -> bool:
        """Return whether to poll now, and start the interval if so."""
        if self.wait(status) > 0:
            return False
        self._last = self._clock()
        return True

    def wait(self, status: int | None) -> float:
        """Return the seconds until the next poll of a run with this status, or infinity if there is none."""
        if not self.apply_to(status):
            return math.inf
        return 0.0 if self._last is None else max(0.0, self._last + self.INTERVAL - self._clock())


class _RunCount:
    """A `with` block in which one more run is watched. It has no state, so one object serves all runs."""

    __slots__ = ()

    def __enter__(self) -> None:
        StepPolls._watched += 1  # noqa: SLF001 -- the two are one

    def __exit__(self, *exc_info: object) -> None:
        StepPolls._watched -= 1  # noqa: SLF001


_RUN_COUNT = _RunCount()

"""Tells in a task's log how a run goes on: status changes, and steps as they start."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from dbtcloud.client.models import Run, RunStatus, status_name

if TYPE_CHECKING:
    from airflow.sdk.types import Logger


class Progress:
    """What has been told of a run so far; tells each thing once.

    Args:
        run_id: The run.
        log: Where it is told.
    """

    __slots__ = ("_status", "_steps", "log", "run_id")

    def __init__(self, run_id: int | str, log: Logger) -> None:
        self.run_id, self.log = run_id, log
        self._status: int | None = None
        self._steps: tuple[int, ...] = ()

    def status(self, status: int) -> bool:
        """Tell of a status if it is new, and whether it was."""
        if status == self._status:
            return False
        self._status = status
        self.log.info("dbt Cloud run %s: %s.", self.run_id, status_name(status))
        return True

    def steps(self, look: Callable[[], Run]) -> None:
        """Tell of steps that have started since; who cannot look at them goes on without."""
        try:
            run = look()
        except Exception as error:  # noqa: BLE001 -- progress is a courtesy; the wait decides about errors
            self.log.debug("The steps of run %s cannot be read: %s", self.run_id, error)
            return
        self.tell_steps(run)

    def tell_steps(self, run: Run) -> None:
        """Tell of a run's steps that were not told of yet."""
        for step in run.steps:
            if step.index not in self._steps:
                self._steps += (step.index,)
                self.log.info("dbt Cloud run %s, step %d: %s", self.run_id, step.index, step.name)


class StepLooks:
    """When steps are worth a request of their own in a triggerer that may watch thousands of runs.

    On entering Running, then once a minute, and only while few runs are watched in this process.

    Args:
        clock: Seconds that only grow.
    """

    INTERVAL: ClassVar[float] = 60.0
    FEW: ClassVar[int] = 50
    _watched: ClassVar[int] = 0
    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: float | None = None

    @classmethod
    def watching(cls) -> Watching:
        """Count a run as watched for as long as the block lasts."""
        return _WATCHING

    def due(self, status: int) -> bool:
        """Whether the steps of a run with this status are to be looked at now."""
        if self.wait(status) > 0:
            return False
        self._last = self._clock()
        return True

    def wait(self, status: int | None) -> float:
        """Seconds until the steps of a run with this status are worth a look; infinite if they are not."""
        if status != RunStatus.RUNNING or self._watched > self.FEW:
            return math.inf
        return 0.0 if self._last is None else max(0.0, self._last + self.INTERVAL - self._clock())


class Watching:
    """A block in which one more run is watched; it remembers nothing, so one will do for thousands."""

    __slots__ = ()

    def __enter__(self) -> None:
        StepLooks._watched += 1  # noqa: SLF001 -- the two are one

    def __exit__(self, *exc_info: object) -> None:
        StepLooks._watched -= 1  # noqa: SLF001


_WATCHING = Watching()

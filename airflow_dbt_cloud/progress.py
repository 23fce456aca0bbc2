"""Tells in a task's log how a run goes on: status changes, and steps as they start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_dbt_cloud.client.models import Run, status_name

if TYPE_CHECKING:
    from airflow.sdk.types import Logger


class Progress:
    """What has been told of a run so far; tells each thing once.

    Args:
        run_id: The run.
        log: Where it is told.
    """

    def __init__(self, run_id: int | str, log: Logger) -> None:
        self.run_id, self.log = run_id, log
        self._status: int | None = None
        self._steps: set[int] = set()

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
                self._steps.add(step.index)
                self.log.info("dbt Cloud run %s, step %d: %s", self.run_id, step.index, step.name)

"""Writes the logs of a run's steps to a file or an object store, for the hook's verbs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from dbtcloud.client.downloads.atomic_download import AtomicDownload, Destination
from dbtcloud.client.downloads.run_logs import RunLogs, read_run_logs
from dbtcloud.client.models import Step
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from dbtcloud.client.protocol import Call, Id


class RunLogFile:
    """One file with the logs of a run's steps. A context manager that removes its temporary file.

    Args:
        run_id: The run.
        log: The task's log.
    """

    def __init__(self, run_id: Id, log: Logger) -> None:
        self._run_id, self._log = run_id, log
        self._spool = tempfile.TemporaryFile(prefix="dbt-cloud-")  # noqa: SIM115 -- `__exit__` closes it
        self._logs = RunLogs(run_id, self._spool)
        self._steps: list[Step] = []
        self._debug = False

    def read(self, account_id: Id, steps: Sequence[int] | None, *, debug: bool) -> Call[None]:
        """Read the logs of the wanted steps into the temporary file."""
        self._logs = yield from read_run_logs(account_id, self._run_id, self._spool, steps=steps, debug=debug)
        self._steps, self._debug = self._logs.steps(steps), debug
        if not self._logs.is_finished:
            self._log.warning("Run %s has not ended yet; these are its logs so far.", self._run_id)

    def write(self, destination: Destination) -> str:
        """Write the logs to their destination, and return it."""
        with AtomicDownload(destination, f"The log of run {self._run_id}") as file:
            file.begin()
            for step in self._steps:
                self._write_step(step, file)
            file.end()
        steps = "step" if len(self._steps) == 1 else "steps"
        self._log.info(
            "Wrote the log of %d %s of run %s to %s.", len(self._steps), steps, self._run_id, destination
        )
        return str(destination)

    def _write_step(self, step: Step, file: AtomicDownload) -> None:
        if len(self._steps) > 1:
            status = RunStatus.name_of(step.status)
            file.write(f"===== Step {step.index}: {step.name} ({status}) =====\n".encode())
        chunk = b""
        for chunk in self._logs.text(step, debug=self._debug):
            file.write(chunk)
        if not chunk:
            self._log.warning("dbt Cloud has no log of step %d (%s).", step.index, step.name)
        if not chunk.endswith(b"\n"):
            file.write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._spool.close()

"""Tells the log how far the fetching of artifacts has come, and the threads at it when to stop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dbtcloud.client.errors import ArtifactError

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

EVERY = 5.0
"""Seconds between two lines of the log."""

MEBIBYTE = 1024 * 1024


class DownloadProgress:
    """Counts artifacts and bytes, from any thread.

    Args:
        run_id: The run.
        artifacts: How many are wanted.
        log: Told now and then, and at the end.
    """

    def __init__(self, run_id: int | str, artifacts: int, log: Logger) -> None:
        self._run_id, self._wanted, self._log = run_id, artifacts, log
        self._began = self._told = time.monotonic()
        self._artifacts = self._bytes = 0
        self._lock = threading.Lock()
        self._stopped = False

    def came(self, count: int) -> None:
        """Some bytes have come.

        Raises:
            ArtifactError: If `stop` was called: this is how a thread that downloads learns of it.
        """
        if self._stopped:
            raise ArtifactError("The download was given up", why="Another one failed")
        with self._lock:
            self._bytes += count
            due = time.monotonic() - self._told >= EVERY
            self._told = time.monotonic() if due else self._told
        if due:
            self._log.info("Fetched %s so far.", self)

    def landed(self) -> None:
        """An artifact has been written."""
        with self._lock:
            self._artifacts += 1

    def stop(self) -> None:
        """Have every thread give up at its next bytes."""
        self._stopped = True

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def __str__(self) -> str:
        size = f"{self._bytes / MEBIBYTE:,.1f} MiB"
        return f"{self._artifacts:,} of {self._wanted:,} artifacts of run {self._run_id}, {size}"

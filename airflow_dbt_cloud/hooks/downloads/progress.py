"""Logs how far a download has come, and stops its threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dbtcloud.client.errors import ArtifactError

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

LOG_INTERVAL = 5.0
"""Seconds between two lines in the log."""

_MEBIBYTE = 1024 * 1024


class DownloadProgress:
    """Counts artifacts and bytes, from any thread.

    Args:
        run_id: The run.
        artifacts: How many are wanted.
        log: The task's log.
    """

    def __init__(self, run_id: int | str, artifacts: int, log: Logger) -> None:
        self._run_id, self._wanted, self._log = run_id, artifacts, log
        self._began = self._logged_at = time.monotonic()
        self._artifacts = self._bytes = 0
        self._lock = threading.Lock()
        self._stopped = False

    def add_bytes(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            ArtifactError: If `stop` was called. A thread that downloads can only be stopped here.
        """
        if self._stopped:
            raise ArtifactError("The download was given up", why="Another one failed")
        with self._lock:
            self._bytes += count
            due = time.monotonic() - self._logged_at >= LOG_INTERVAL
            self._logged_at = time.monotonic() if due else self._logged_at
        if due:
            self._log.info("Fetched %s so far.", self)

    def add_artifact(self) -> None:
        """Count an artifact that has been written."""
        with self._lock:
            self._artifacts += 1

    def stop(self) -> None:
        """End every thread when its next bytes arrive."""
        self._stopped = True

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def __str__(self) -> str:
        size = f"{self._bytes / _MEBIBYTE:,.1f} MiB"
        return f"{self._artifacts:,} of {self._wanted:,} artifacts of run {self._run_id}, {size}"

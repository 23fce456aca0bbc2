"""Cancels a run from a place that has little time: a signal handler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

SECONDS = 4.0
"""What a kill may take: Airflow kills a task's process about five seconds after it has asked it to end."""


def within_seconds(cancel: Callable[[], object], log: Logger) -> None:
    """Do `cancel` in a thread of its own for `SECONDS` at the most; nothing that goes wrong comes out.

    The interrupted request may hold the hook's session, and a thread has a session of its own.
    """

    def carefully() -> None:
        try:
            cancel()
        except Exception:
            log.exception("The run could not be cancelled; it may go on.")

    thread = threading.Thread(target=carefully, name="cancel dbt Cloud run", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        log.warning("dbt Cloud has not confirmed within %g s that the run is cancelled.", SECONDS)

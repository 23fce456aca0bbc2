"""Cancels the run of a deferred task that was killed, but not of one that Airflow has only moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

CANCEL_SECONDS = 4.0
"""Seconds that the cancel may take: a triggerer that ends does not wait long."""

# Seconds that Airflow may take to return the task's state. A triggerer that asks for the first time waits for
# the imports of Airflow's API, and Airflow itself waits 30 s (`[triggerer] on_kill_timeout`).
_STATE_SECONDS = 25.0

# An event loop keeps only weak references to its tasks.
_RUNNING: set[asyncio.Task[None]] = set()


class _CancellingHook(Protocol):
    def stop_job_run(self, run_id: int | str, account_id: int | str | None = None) -> Awaitable[None]:
        """Cancel a run."""


class _KilledTrigger(Protocol):
    """The part of a trigger that a cancel uses."""

    run_id: int
    account_id: int | None
    owned: bool | None
    task_instance: Any

    @property
    def log(self) -> Logger:
        """The task's log."""

    def make_hook(self) -> _CancellingHook:
        """Return a hook for the trigger's connection."""


async def cancel_if_killed(trigger: _KilledTrigger) -> None:
    """Cancel the run if this task started it and is no longer deferred.

    Errors are logged and not raised. Airflow also stops triggers that it moves to another triggerer
    (apache/airflow #73454). Their tasks stay deferred. A task that was cleared may be deferred again by now.
    Its next try then handles the run.
    """
    if not trigger.owned:
        return
    work = asyncio.create_task(_cancel_unless_deferred(trigger))
    _RUNNING.add(work)
    work.add_done_callback(_RUNNING.discard)
    # The triggerer cancels a stopped trigger again every second until it has ended. Only the end of the event
    # loop cancels the task above; here we wait for it, however often we are cancelled.
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(work)


async def _cancel_unless_deferred(trigger: _KilledTrigger) -> None:
    try:
        async with asyncio.timeout(_STATE_SECONDS):
            state = await _task_state(trigger.task_instance)
        if state == "deferred":
            trigger.log.info("Job run %s is not cancelled: its task is still deferred.", trigger.run_id)
            return
        # A time of its own: however long Airflow took for the state, the cancel gets its seconds.
        async with asyncio.timeout(CANCEL_SECONDS):
            await trigger.make_hook().stop_job_run(trigger.run_id, trigger.account_id)
        trigger.log.info(
            "Asked dbt Cloud to cancel job run %s: its task is %s.", trigger.run_id, state or "cleared"
        )
    except Exception:
        trigger.log.exception("Could not cancel job run %s; it may still be running.", trigger.run_id)


async def _task_state(ti: Any) -> str | None:
    """Return the state of the trigger's task instance as the supervisor knows it."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from asgiref.sync import sync_to_async

    # -1 stands for a task that is not mapped; the supervisor wants None for that.
    mapped = ti.map_index if ti.map_index is not None and ti.map_index >= 0 else None
    states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
        dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=mapped
    )
    return next(iter(states.get(ti.run_id, {}).values()), None)

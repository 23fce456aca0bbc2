"""Cancels the run of a deferred task that was killed, and not that of one that was merely moved."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud import lazy

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger

SECONDS = 4.0
"""What cancelling may take: a triggerer that ends does not wait long."""

ANSWER_SECONDS = 25.0
"""What Airflow may take to tell the task's state: a triggerer that asks it for the first time waits for the
imports of Airflow's API, and Airflow itself waits 30 s (`[triggerer] on_kill_timeout`)."""


_AT_WORK: set[asyncio.Task[None]] = set()
"""An event loop keeps only weak references to its tasks."""


async def cancel_if_killed(trigger: DbtCloudRunJobTrigger) -> None:
    """Cancel the run if this task started it and is not deferred any more; nothing that goes wrong comes out.

    Airflow also stops triggers that it moves to another triggerer (apache/airflow #73454); their tasks stay
    deferred. A task that was cleared may be deferred again by now; its next try deals with the run.

    The triggerer cancels a stopped trigger again every second until it has ended. The work is therefore done
    in an asyncio task of its own, which only the end of the event loop cancels.
    """
    if not trigger.owned:
        return
    work = asyncio.create_task(_cancel_unless_deferred(trigger))
    _AT_WORK.add(work)
    work.add_done_callback(_AT_WORK.discard)
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(work)


async def _cancel_unless_deferred(trigger: DbtCloudRunJobTrigger) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            state = await _task_state(trigger.task_instance)
        if state == "deferred":
            trigger.log.info("Job run %s goes on: its task is still deferred.", trigger.run_id)
            return
        async with asyncio.timeout(SECONDS):
            hook: DbtCloudHook = lazy.resolve_patched("airflow_dbt_cloud.triggers.dbt", "DbtCloudHook")(
                trigger.conn_id, **trigger.hook_params
            )
            await hook.stop_job_run(trigger.run_id, trigger.account_id)
            trigger.log.info(
                "Job run %s is being cancelled: its task is %s.", trigger.run_id, state or "cleared"
            )
    except Exception:
        trigger.log.exception("Job run %s could not be cancelled; it may go on.", trigger.run_id)


async def _task_state(ti: Any) -> str | None:
    """The state of the trigger's task instance, as the supervisor knows it."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from asgiref.sync import sync_to_async

    mapped = ti.map_index if ti.map_index is not None and ti.map_index >= 0 else None
    states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
        dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=mapped
    )
    return next(iter(states.get(ti.run_id, {}).values()), None)

"""Tells OpenLineage that a dbt Cloud run has been started, while it still goes on."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

_LISTENER = "airflow.providers.openlineage.plugins.listener"
"""The module that Airflow has loaded in a task's process where OpenLineage is in use."""

_MAX_SECONDS = 10.0
"""What the telling may hold a task up for; the run goes on meanwhile."""


def emit_start_event(task: Any, task_instance: Any, run_id: int) -> None:
    """Emit the start of a run; nothing that goes wrong comes out.

    Args:
        task: Has `hook` (a `DbtCloudHook`), `account_id` and `log`.
        task_instance: Its OpenLineage run is the event's parent.
        run_id: The run.
    """
    if _LISTENER not in sys.modules:
        return
    name = "OpenLineage of dbt Cloud run"
    thread = threading.Thread(target=_carefully, args=(task, task_instance, run_id), name=name, daemon=True)
    thread.start()
    thread.join(_MAX_SECONDS)
    if thread.is_alive():
        task.log.warning("OpenLineage has not taken the start of run %s within %g s.", run_id, _MAX_SECONDS)


def _carefully(task: Any, task_instance: Any, run_id: int) -> None:
    hook, log = task.hook, task.log
    try:
        if _is_wanted(task, task_instance):
            _emit(hook, task.account_id or None, task_instance, run_id, log)
    except Exception as error:  # noqa: BLE001 -- lineage is never worth more than the task
        log.warning("OpenLineage is not told of the start of run %s: %s", run_id, error)
    finally:
        hook.close()  # the session of this thread


def _emit(hook: Any, account_id: int | str | None, task_instance: Any, run_id: int, log: Logger) -> None:
    from airflow.providers.openlineage.plugins.listener import get_openlineage_listener

    from airflow_dbt_cloud.lineage.events import start_events
    from airflow_dbt_cloud.lineage.parent import event_parent
    from airflow_dbt_cloud.lineage.run_facts import LineageRun

    told = LineageRun(hook, run_id, account_id, log)
    for event in start_events(told, event_parent(task_instance)):
        get_openlineage_listener().adapter.emit(event)


def _is_wanted(task: Any, task_instance: Any) -> bool:
    """Whether Airflow's OpenLineage provider is switched on, and tells of this task."""
    from airflow.providers.openlineage import conf

    if conf.is_disabled():
        return False
    try:
        from airflow.providers.openlineage.utils.emission_policy import resolve_task_emission_policy
    except ImportError:  # earlier releases have a switch for each purpose
        from airflow.providers.openlineage.utils.utils import (
            is_operator_disabled,
            is_selective_lineage_enabled,
        )

        return not is_operator_disabled(task) and is_selective_lineage_enabled(task)
    return bool(resolve_task_emission_policy(task, task_instance.dag_id, task_instance.task_id).emit)

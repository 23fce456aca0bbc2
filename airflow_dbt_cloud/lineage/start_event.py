"""Emits the OpenLineage start event of a dbt Cloud run, while the run is still running."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

# Airflow has loaded this module in the task's process if OpenLineage is enabled.
_LISTENER = "airflow.providers.openlineage.plugins.listener"

_MAX_SECONDS = 10.0  # for which emitting may delay the task


def emit_start_event(task: Any, task_instance: Any, run_id: int) -> None:
    """Emit the start event of a run. An error is logged and not raised.

    Args:
        task: Has `hook` (a `DbtCloudHook`), `account_id` and `log`.
        task_instance: Its OpenLineage run is the parent of the event.
        run_id: The run.
    """
    if _LISTENER not in sys.modules:
        return
    name = "OpenLineage of dbt Cloud run"
    thread = threading.Thread(target=_emit_or_log, args=(task, task_instance, run_id), name=name, daemon=True)
    thread.start()
    thread.join(_MAX_SECONDS)
    if thread.is_alive():
        template = "The OpenLineage start event of run %s takes longer than %g s; the task continues."
        task.log.warning(template, run_id, _MAX_SECONDS)


def _emit_or_log(task: Any, task_instance: Any, run_id: int) -> None:
    hook, log = task.hook, task.log
    try:
        if _is_wanted(task, task_instance):
            _emit(hook, task.account_id or None, task_instance, run_id, log)
    except Exception as error:  # noqa: BLE001 -- lineage must not fail the task
        log.warning("Could not emit the OpenLineage start event of run %s: %s", run_id, error)
    finally:
        hook.close()  # the session of this thread


def _emit(hook: Any, account_id: int | str | None, task_instance: Any, run_id: int, log: Logger) -> None:
    from airflow.providers.openlineage.plugins.listener import get_openlineage_listener

    from airflow_dbt_cloud.lineage.events import start_events
    from airflow_dbt_cloud.lineage.parent import event_parent
    from airflow_dbt_cloud.lineage.run_facts import LineageRun

    lineage_run = LineageRun(hook, run_id, account_id, log)
    for event in start_events(lineage_run, event_parent(task_instance)):
        get_openlineage_listener().adapter.emit(event)


def _is_wanted(task: Any, task_instance: Any) -> bool:
    """Return whether Airflow's OpenLineage provider is enabled for this task."""
    from airflow.providers.openlineage import conf

    if conf.is_disabled():
        return False
    try:
        from airflow.providers.openlineage.utils.emission_policy import resolve_task_emission_policy
    except ImportError:  # earlier releases have a setting for each purpose
        from airflow.providers.openlineage.utils.utils import (
            is_operator_disabled,
            is_selective_lineage_enabled,
        )

        return not is_operator_disabled(task) and is_selective_lineage_enabled(task)
    return bool(resolve_task_emission_policy(task, task_instance.dag_id, task_instance.task_id).emit)

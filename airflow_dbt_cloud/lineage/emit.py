"""Emit OpenLineage events of a task's dbt Cloud run: its start at once, the others at the task's end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.lineage.run_facts import LineageRun


def emit_run_events(task: Any, task_instance: Any) -> OperatorLineage[Any, Any] | None:
    """Emit the events of a finished run and of each of its dbt steps. An error is logged and not raised.

    Args:
        task: Has `hook` (a `DbtCloudHook`), the run's id where `lineage_run_attribute` says,
            `account_id` and `log`.
        task_instance: Its OpenLineage run is the parent of the events. None emits nothing.

    Returns:
        No inputs, outputs or facets for the task itself, or None after an error.
    """
    log, run_id = task.log, getattr(task, task.lineage_run_attribute)
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage

        if task_instance is not None and run_id:
            _emit(task, run_id, task_instance, log)
        return OperatorLineage()
    except ImportError as error:
        log.warning("No OpenLineage events: %s. Install the extra 'openlineage' of airflow-dbt-cloud.", error)
    except Exception as error:  # noqa: BLE001 -- lineage must not fail the task
        log.warning("Could not emit all OpenLineage events of run %s: %s", run_id, error)
    return None


def _emit(task: Any, run_id: int | str, task_instance: Any, log: Logger) -> None:
    from airflow.providers.openlineage.plugins.listener import get_openlineage_listener

    from airflow_dbt_cloud.lineage.run_facts import LineageRun

    lineage_run = LineageRun(task.hook, run_id, task.account_id or None, log)
    if not lineage_run.run.finished:
        log.info("Run %s is still running: no OpenLineage events of its end.", run_id)
        return
    adapter = get_openlineage_listener().adapter
    for event in _events(lineage_run, task, task_instance, log):
        adapter.emit(event)


def _events(lineage_run: LineageRun, task: Any, task_instance: Any, log: Logger) -> Iterator[Any]:
    """Yield the events of the run, then those of its steps. A step with an error has no events."""
    from airflow_dbt_cloud.lineage.events import LineageEvents
    from airflow_dbt_cloud.lineage.parent import TaskParent

    made = LineageEvents(lineage_run, TaskParent(task_instance).as_metadata(), log)
    if not task.emits_start_event:
        yield from made.start()
    yield from made.end()
    for artifacts in lineage_run.steps():
        try:
            events = made.of_step(artifacts)
        except Exception as error:  # noqa: BLE001 -- see above
            step = artifacts.step
            log.warning("No OpenLineage events of step %d, %s: %s", step.index, step.name, error)
            continue
        log.info(
            "Step %d, %s: %d OpenLineage events.", artifacts.step.index, artifacts.step.name, len(events)
        )
        yield from events


def emit_start_event(task: Any, task_instance: Any, run_id: int) -> None:
    """Emit the start event of a run, in a thread of its own. An error is logged and not raised."""
    hook, log = task.hook, task.log
    try:
        if _is_wanted(task, task_instance):
            _emit_start(hook, task.account_id or None, task_instance, run_id, log)
    except Exception as error:  # noqa: BLE001 -- lineage must not fail the task
        log.warning("Could not emit the OpenLineage start event of run %s: %s", run_id, error)
    finally:
        hook.close()  # the session of this thread


def _emit_start(
    hook: Any, account_id: int | str | None, task_instance: Any, run_id: int, log: Logger
) -> None:
    from airflow.providers.openlineage.plugins.listener import get_openlineage_listener

    from airflow_dbt_cloud.lineage.events import LineageEvents
    from airflow_dbt_cloud.lineage.parent import TaskParent
    from airflow_dbt_cloud.lineage.run_facts import LineageRun

    lineage_run = LineageRun(hook, run_id, account_id, log)
    for event in LineageEvents(lineage_run, TaskParent(task_instance).as_metadata(), log).start():
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

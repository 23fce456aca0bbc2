"""Tells OpenLineage what became of a task's dbt Cloud run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.lineage.run_facts import LineageRun


class OpenLineageMixin:
    """A task whose dbt Cloud run OpenLineage is told of, by the methods that its provider looks for."""

    lineage_run_attribute: ClassVar[str] = "run_id"
    """The attribute with the id of that run, None if the task came to none."""

    @property
    def emits_start_event(self) -> bool:
        """Whether OpenLineage was told of the run's start when it began."""
        return False

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any] | None:
        """Nothing: there is no run yet; `emit_start_event` tells of it when there is."""
        return _emit_run_events(self, None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Emit the run's events; nothing more is told of the task itself."""
        return _emit_run_events(self, task_instance)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Emit the run's events; nothing more is told of the task itself."""
        return _emit_run_events(self, task_instance)


def _emit_run_events(task: Any, task_instance: Any) -> OperatorLineage[Any, Any] | None:
    """Emit the events of a finished run and of each of its dbt steps; a fault on the way is only logged.

    Args:
        task: Has `hook` (a `DbtCloudHook`), the run's id where `lineage_run_attribute` says,
            `account_id` and `log`.
        task_instance: Its OpenLineage run is the events' parent; None before there is anything to tell.

    Returns:
        Nothing more about the task itself; None where the extra `openlineage` is missing.
    """
    log, run_id = task.log, getattr(task, task.lineage_run_attribute)
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage

        if task_instance is not None and run_id:
            _emit(task, run_id, task_instance, log)
        return OperatorLineage()
    except ImportError as error:
        log.warning("OpenLineage is told nothing: %s. pip install 'airflow-dbt-cloud[openlineage]'.", error)
    except Exception as error:  # noqa: BLE001 -- lineage is never worth more than the task
        log.warning("OpenLineage is told nothing more of run %s: %s", run_id, error)
    return None


def _emit(task: Any, run_id: int | str, task_instance: Any, log: Logger) -> None:
    from airflow.providers.openlineage.plugins.listener import get_openlineage_listener

    from airflow_dbt_cloud.lineage.run_facts import LineageRun

    told = LineageRun(task.hook, run_id, task.account_id or None, log)
    if not told.run.finished:
        log.info("Run %s goes on; OpenLineage is told nothing of it.", run_id)
        return
    adapter = get_openlineage_listener().adapter
    for event in _events(told, task, task_instance, log):
        adapter.emit(event)


def _events(told: LineageRun, task: Any, task_instance: Any, log: Logger) -> Iterator[Any]:
    """Events of the run, then of its steps; a step that cannot be told loses only its own."""
    from airflow_dbt_cloud.lineage.events import end_events, start_events
    from airflow_dbt_cloud.lineage.parent import event_parent
    from airflow_dbt_cloud.lineage.step_events import step_events

    parent = event_parent(task_instance)
    if not task.emits_start_event:
        yield from start_events(told, parent)
    yield from end_events(told, parent)
    for artifacts in told.steps():
        try:
            events = step_events(told, artifacts, parent, log)
        except Exception as error:  # noqa: BLE001 -- see above
            step = artifacts.step
            log.warning("OpenLineage is told nothing of step %d, %s: %s", step.index, step.name, error)
            continue
        log.info(
            "Step %d, %s: %d OpenLineage events.", artifacts.step.index, artifacts.step.name, len(events)
        )
        yield from events

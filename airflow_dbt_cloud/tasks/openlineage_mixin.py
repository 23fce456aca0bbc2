"""The methods by which Airflow's OpenLineage provider asks a task for the events of its run."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow_dbt_cloud import lazy

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

# Airflow has loaded this module in the task's process if OpenLineage is enabled.
_LISTENER = "airflow.providers.openlineage.plugins.listener"

_MAX_SECONDS = 10.0  # for which emitting the start event may delay the task


class OpenLineageMixin:
    """A task that emits its run's OpenLineage events when Airflow's OpenLineage provider asks for facets."""

    lineage_run_attribute: ClassVar[str] = "run_id"
    """Name of the attribute with the run's id, which is None while the task has no run."""

    patched_module: ClassVar[str]
    """The module in which users' tests replace the names that this task uses."""

    @property
    def emits_start_event(self) -> bool:
        """Whether the task emits the start event itself, as soon as it has started the run."""
        return False

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any] | None:
        """Emit nothing, since there is no run yet: `_emit_start_event` follows."""
        from airflow_dbt_cloud.lineage.emit import emit_run_events

        return emit_run_events(self, None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Emit the run's events. The task itself gets no more facets."""
        return self._emit_end(task_instance)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Emit the run's events. The task itself gets no more facets."""
        return self._emit_end(task_instance)

    def _emit_end(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        # Users' tests replace this function in the module of the operator or the sensor.
        emit = lazy.resolve_patched(self.patched_module, "generate_openlineage_events_from_dbt_cloud_run")
        lineage: OperatorLineage[Any, Any] | None = emit(operator=self, task_instance=task_instance)
        return lineage

    def _emit_start_event(self, task_instance: Any, run_id: int) -> None:
        """Emit the start event of a run that is still running. An error is logged and not raised.

        Args:
            task_instance: Its OpenLineage run is the parent of the event.
            run_id: The run.
        """
        if _LISTENER not in sys.modules:
            return
        from airflow_dbt_cloud.lineage.emit import emit_start_event

        name, task = "OpenLineage of dbt Cloud run", cast("Any", self)
        args = (task, task_instance, run_id)
        thread = threading.Thread(target=emit_start_event, args=args, name=name, daemon=True)
        thread.start()
        thread.join(_MAX_SECONDS)
        if thread.is_alive():
            template = "The OpenLineage start event of run %s takes longer than %g s; the task continues."
            task.log.warning(template, run_id, _MAX_SECONDS)

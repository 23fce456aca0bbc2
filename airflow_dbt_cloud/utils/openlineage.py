"""OpenLineage events and the OpenLineage parent of a run, by the names of the official provider.

Operators and sensors look both functions up when they use them, so patching one takes effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


def generate_openlineage_events_from_dbt_cloud_run(
    operator: Any, task_instance: Any
) -> OperatorLineage[Any, Any] | None:
    """Emit the events of a finished run and of its dbt steps. An error is logged and not raised.

    Args:
        operator: A run operator or a sensor that has ended.
        task_instance: Its OpenLineage run is the parent of the events.

    Returns:
        No inputs, outputs or facets for the task itself, or None after an error.
    """
    from airflow_dbt_cloud.lineage.emit import emit_run_events

    return emit_run_events(operator, task_instance)


def inject_parent_job_information_into_dbt_cloud_cause(cause: str, task_instance: Any) -> str:
    """Return the OpenLineage parent of a run as JSON, or the cause where it does not fit or is not available.

    Args:
        cause: The run's cause.
        task_instance: The task instance that starts the run.
    """
    from airflow_dbt_cloud.lineage.parent import TaskParent

    return TaskParent(task_instance).as_cause(cause, structlog.get_logger(__name__))

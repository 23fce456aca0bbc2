"""The OpenLineage run of a task, as the parent of the events of the dbt Cloud run that it started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.job_runs.status import DBT_CAUSE_MAX_LENGTH

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from openlineage.common.provider.dbt.facets import ParentRunMetadata


class TaskParent:
    """The OpenLineage run of a task, and its root.

    Args:
        task_instance: The task's.
    """

    def __init__(self, task_instance: Any) -> None:
        self._task_instance = task_instance

    def as_cause(self, cause: str, log: Logger) -> str:
        """Return parent and root as compact JSON, for the cause of a dbt Cloud run.

        If both are too long, return the parent alone. If that is too long as well, or the extra `openlineage`
        is missing, log a warning and return `cause`.
        """
        try:
            facets = self._facets()
        except ImportError:
            log.warning(
                "The run's cause has no OpenLineage parent. "
                "Install the extra 'openlineage' of airflow-dbt-cloud."
            )
            return cause
        for facet in (facets, {"parent": facets["parent"]}):
            text = json.dumps(facet, separators=(",", ":"))
            if len(text) <= DBT_CAUSE_MAX_LENGTH:
                return text
        log.warning(
            "The run's cause has no OpenLineage parent: it is longer than %d characters.",
            DBT_CAUSE_MAX_LENGTH,
        )
        return cause

    def as_metadata(self) -> ParentRunMetadata:
        """Return both as the OpenLineage library takes them.

        Raises:
            ImportError: If the extra `openlineage` is missing.
        """
        from openlineage.common.provider.dbt.facets import ParentRunMetadata

        facets = self._facets()
        parent, root = facets["parent"], facets["root"]
        return ParentRunMetadata(
            run_id=parent["run"]["runId"],
            job_name=parent["job"]["name"],
            job_namespace=parent["job"]["namespace"],
            root_parent_run_id=root["run"]["runId"],
            root_parent_job_name=root["job"]["name"],
            root_parent_job_namespace=root["job"]["namespace"],
        )

    def _facets(self) -> dict[str, Any]:
        """Return parent and root from the macros of Airflow's OpenLineage provider."""
        from airflow.providers.openlineage.plugins import macros

        task = self._task_instance
        parent = macros.lineage_job_namespace(), macros.lineage_job_name(task)
        root = macros.lineage_root_job_namespace(task), macros.lineage_root_job_name(task)
        return {
            "parent": _facet(macros.lineage_run_id(task), *parent),
            "root": _facet(macros.lineage_root_run_id(task), *root),
        }


def _facet(run_id: str, namespace: str, name: str) -> dict[str, Any]:
    return {"run": {"runId": run_id}, "job": {"namespace": namespace, "name": name}}

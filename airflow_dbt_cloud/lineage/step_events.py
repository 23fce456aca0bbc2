"""OpenLineage events of the nodes of a dbt step, made by the OpenLineage library."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from openlineage.client.event_v2 import RunEvent
from openlineage.common.provider.dbt import DbtCloudArtifactProcessor

from airflow_dbt_cloud.lineage.events import PRODUCER
from airflow_dbt_cloud.lineage.result_statuses import library_results
from airflow_dbt_cloud.lineage.run_facts import LineageRun, StepArtifacts
from airflow_dbt_cloud.lineage.warehouse import warehouse_profile

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

_MAX_ODD = 50
"""Nodes of a step that may be odd; with more of them something is wrong with the step."""

Results: TypeAlias = list[dict[str, Any]]
Tell: TypeAlias = Callable[[Results], list[RunEvent]]


def step_events(
    finished: LineageRun, artifacts: StepArtifacts, parent: ParentRunMetadata, log: Logger
) -> list[RunEvent]:
    """Events of the models, snapshots and tests of a step that dbt ran; an odd node loses its own alone.

    Args:
        finished: The run.
        artifacts: What the step wrote.
        parent: The events' parent.
        log: Told of nodes that are left out.

    Raises:
        Exception: Whatever the library raises, such as `NotImplementedError` for an adapter unknown to it.
    """

    def tell(results: Results) -> list[RunEvent]:
        return _told(finished, artifacts, parent, results)

    results = library_results(artifacts.run_results, log)
    try:
        return tell(results)
    except Exception:  # noqa: BLE001 -- the library raises whatever it stumbles over
        tell([])  # raises what is wrong with the step as a whole
        odd: dict[str, Exception] = {}
        results = _without_odd(results, tell, odd)
        for unique_id, error in odd.items():
            log.warning("OpenLineage is told nothing of %s: %r", unique_id, error)
        return tell(results)


def _without_odd(results: Results, tell: Tell, odd: dict[str, Exception]) -> Results:
    """The results that can be told, found by halves: those of a model's tests make one event together."""
    try:
        tell(results)
    except Exception as error:
        if len(results) > 1:
            half = len(results) // 2
            return _without_odd(results[:half], tell, odd) + _without_odd(results[half:], tell, odd)
        odd[results[0]["unique_id"]] = error
        if len(odd) > _MAX_ODD:
            raise ValueError(f"More than {_MAX_ODD} of its nodes cannot be told: {error!r}") from error
        return []
    return results


def _told(
    finished: LineageRun, artifacts: StepArtifacts, parent: ParentRunMetadata, results: Results
) -> list[RunEvent]:
    processor = DbtCloudArtifactProcessor(
        producer=PRODUCER,
        job_namespace=parent.job_namespace,
        skip_errors=False,  # else it drops events without a word
        logger=logging.getLogger(__name__),
        manifest=artifacts.manifest,
        run_result={**artifacts.run_results, "results": results},
        profile=warehouse_profile(finished.connections, artifacts.manifest),
        catalog=artifacts.catalog,
        project_name=finished.project["name"],
        account_id=str(finished.run.data["account_id"]),
    )
    processor.dbt_run_metadata = parent
    return list(processor.parse().events())

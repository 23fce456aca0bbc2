"""OpenLineage events of the nodes of a dbt step. The OpenLineage library makes them from its artifacts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from openlineage.client.event_v2 import RunEvent
from openlineage.common.provider.dbt import DbtCloudArtifactProcessor

from airflow_dbt_cloud.lineage.events import PRODUCER
from airflow_dbt_cloud.lineage.library_input import library_results, warehouse_profile
from airflow_dbt_cloud.lineage.run_facts import LineageRun, StepArtifacts

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

_MAX_REFUSED = 50  # with more refused nodes, something is wrong with the step as a whole

_Results: TypeAlias = list[dict[str, Any]]
_MakeEvents: TypeAlias = Callable[[_Results], list[RunEvent]]


def step_events(
    finished: LineageRun, artifacts: StepArtifacts, parent: ParentRunMetadata, log: Logger
) -> list[RunEvent]:
    """Return the events of the models, snapshots and tests that dbt ran in a step.

    A node that the library refuses loses only its own events.

    Args:
        finished: The run.
        artifacts: The step's artifacts.
        parent: The parent of the events.
        log: Gets warnings about nodes without events.

    Raises:
        Exception: Whatever the library raises, such as `NotImplementedError` for an adapter unknown to it.
    """

    def make_events(results: _Results) -> list[RunEvent]:
        return _library_events(finished, artifacts, parent, results)

    results = library_results(artifacts.run_results, log)
    try:
        return make_events(results)
    except Exception:  # noqa: BLE001 -- the library raises all kinds of errors for odd nodes
        make_events([])  # raises if something is wrong with the step as a whole
        refused: dict[str, Exception] = {}
        results = _accepted(results, make_events, refused)
        for unique_id, error in refused.items():
            log.warning("No OpenLineage events of %s: %r", unique_id, error)
        return make_events(results)


def _accepted(results: _Results, make_events: _MakeEvents, refused: dict[str, Exception]) -> _Results:
    """Return the results that the library accepts, and add the others to `refused`.

    Single results would not do: the library makes one event of all the tests of a model. So the results are
    halved until only refused ones are left out.
    """
    try:
        make_events(results)
    except Exception as error:
        if len(results) > 1:
            half = len(results) // 2
            return _accepted(results[:half], make_events, refused) + _accepted(
                results[half:], make_events, refused
            )
        refused[results[0]["unique_id"]] = error
        if len(refused) > _MAX_REFUSED:
            raise ValueError(
                f"The library refuses more than {_MAX_REFUSED} of its nodes: {error!r}"
            ) from error
        return []
    return results


def _library_events(
    finished: LineageRun, artifacts: StepArtifacts, parent: ParentRunMetadata, results: _Results
) -> list[RunEvent]:
    processor = DbtCloudArtifactProcessor(
        producer=PRODUCER,
        job_namespace=parent.job_namespace,
        skip_errors=False,  # otherwise the library drops events silently
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

"""OpenLineage events of a dbt Cloud run and of the nodes of its dbt steps.

The OpenLineage library makes the events of nodes from the step's artifacts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from openlineage.client.event_v2 import Job, RunEvent, RunState
from openlineage.client.event_v2 import Run as OpenLineageRun
from openlineage.client.facet_v2 import job_type_job
from openlineage.client.uuid import generate_static_uuid
from openlineage.common.provider.dbt import DbtCloudArtifactProcessor

from airflow_dbt_cloud import __version__
from airflow_dbt_cloud.lineage.run_facts import LineageRun
from airflow_dbt_cloud.lineage.step_artifacts import StepArtifacts
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

_PRODUCER = f"https://pypi.org/project/airflow-dbt-cloud/{__version__}"
"""The `producer` of the events: the URI of the program that made them."""

_END_STATES = {
    RunStatus.SUCCESS: RunState.COMPLETE,
    RunStatus.ERROR: RunState.FAIL,
    RunStatus.CANCELLED: RunState.ABORT,
}

_MAX_REFUSED = 50  # with more refused nodes, something is wrong with the step as a whole

_Results: TypeAlias = list[dict[str, Any]]
_MakeEvents: TypeAlias = Callable[[_Results], list[RunEvent]]


class LineageEvents:
    """Makes the events of one run.

    Args:
        lineage_run: The run.
        parent: The parent of the events.
        log: Gets warnings about nodes without events.
    """

    def __init__(self, lineage_run: LineageRun, parent: ParentRunMetadata, log: Logger) -> None:
        self._lineage_run, self._parent, self._log = lineage_run, parent, log

    def start(self) -> Iterator[RunEvent]:
        """Yield the start of the run. While the run is queued, the event has the time of its trigger."""
        run = self._lineage_run.run
        if (began := run.started_at or run.created_at) is not None:
            yield self._run_event(RunState.START, began)

    def end(self) -> Iterator[RunEvent]:
        """Yield the end of the run, or nothing while it is still running."""
        run = self._lineage_run.run
        if run.finished_at is not None:
            yield self._run_event(_ending(run.status), run.finished_at)

    def of_step(self, artifacts: StepArtifacts) -> list[RunEvent]:
        """Return the events of the models, snapshots and tests that dbt ran in a step.

        A node that the library refuses loses only its own events.

        Raises:
            Exception: Whatever the library raises, such as `NotImplementedError` for an unknown adapter.
        """

        def make_events(results: _Results) -> list[RunEvent]:
            return self._library_events(artifacts, results)

        results = artifacts.library_results(self._log)
        try:
            return make_events(results)
        except Exception:  # noqa: BLE001 -- the library raises all kinds of errors for odd nodes
            make_events([])  # raises if something is wrong with the step as a whole
            refused: dict[str, Exception] = {}
            results = _accepted(results, make_events, refused)
            for unique_id, error in refused.items():
                self._log.warning("No OpenLineage events of %s: %r", unique_id, error)
            return make_events(results)

    def _run_event(self, state: RunState, moment: datetime) -> RunEvent:
        """Make an event whose run id is computed from the run's, so that all tasks emit the same id."""
        run = self._lineage_run.run
        facets: dict[str, Any] = {"parent": self._parent.to_openlineage()}
        run_id = generate_static_uuid(run.created_at or moment, f"dbt Cloud run {run.id}".encode())
        kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="JOB")
        name = f"{self._lineage_run.project['name']}.{self._lineage_run.job_name}"
        return RunEvent(
            eventTime=moment.isoformat(),
            run=OpenLineageRun(runId=str(run_id), facets=facets),
            job=Job(namespace=self._parent.job_namespace, name=name, facets={"jobType": kind}),
            eventType=state,
            producer=_PRODUCER,
        )

    def _library_events(self, artifacts: StepArtifacts, results: _Results) -> list[RunEvent]:
        processor = DbtCloudArtifactProcessor(
            producer=_PRODUCER,
            job_namespace=self._parent.job_namespace,
            skip_errors=False,  # otherwise the library drops events silently
            logger=logging.getLogger(__name__),
            manifest=artifacts.manifest,
            run_result={**artifacts.run_results, "results": results},
            profile=artifacts.warehouse_profile(self._lineage_run.connections),
            catalog=artifacts.catalog,
            project_name=self._lineage_run.project["name"],
            account_id=str(self._lineage_run.run.data["account_id"]),
        )
        processor.dbt_run_metadata = self._parent
        return list(processor.parse().events())


def _ending(status: int) -> RunState:
    return _END_STATES.get(RunStatus(status), RunState.OTHER)


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

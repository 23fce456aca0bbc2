"""OpenLineage events of a dbt Cloud run itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import Job, RunEvent, RunState
from openlineage.client.event_v2 import Run as OpenLineageRun
from openlineage.client.facet_v2 import job_type_job
from openlineage.client.uuid import generate_static_uuid

from airflow_dbt_cloud import __version__
from airflow_dbt_cloud.lineage.run_facts import LineageRun
from dbtcloud.client.models import RunStatus

if TYPE_CHECKING:
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

PRODUCER = f"https://pypi.org/project/airflow-dbt-cloud/{__version__}"
"""The `producer` of the events: the URI of the program that made them."""

_END_STATES = {
    RunStatus.SUCCESS: RunState.COMPLETE,
    RunStatus.ERROR: RunState.FAIL,
    RunStatus.CANCELLED: RunState.ABORT,
}


def start_events(lineage_run: LineageRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """Yield the start of the run. While the run is queued, the event has the time of its trigger."""
    run = lineage_run.run
    if (began := run.started_at or run.created_at) is not None:
        yield _run_event(lineage_run, parent, RunState.START, began)


def end_events(lineage_run: LineageRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """Yield the end of the run, or nothing while it is still running."""
    if lineage_run.run.finished_at is not None:
        yield _run_event(lineage_run, parent, _ending(lineage_run.run.status), lineage_run.run.finished_at)


def _run_event(
    lineage_run: LineageRun, parent: ParentRunMetadata, state: RunState, moment: datetime
) -> RunEvent:
    """Make an event whose run id is computed from the dbt Cloud run's, so that all tasks emit the same id."""
    run = lineage_run.run
    facets: dict[str, Any] = {"parent": parent.to_openlineage()}
    run_id = generate_static_uuid(run.created_at or moment, f"dbt Cloud run {run.id}".encode())
    kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="JOB")
    name = f"{lineage_run.project['name']}.{lineage_run.job_name}"
    return RunEvent(
        eventTime=moment.isoformat(),
        run=OpenLineageRun(runId=str(run_id), facets=facets),
        job=Job(namespace=parent.job_namespace, name=name, facets={"jobType": kind}),
        eventType=state,
        producer=PRODUCER,
    )


def _ending(status: int) -> RunState:
    return _END_STATES.get(RunStatus(status), RunState.OTHER)

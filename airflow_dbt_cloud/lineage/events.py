"""OpenLineage events of a run itself."""

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
"""The URI by which the events name what made them."""

_END_STATES = {
    RunStatus.SUCCESS: RunState.COMPLETE,
    RunStatus.ERROR: RunState.FAIL,
    RunStatus.CANCELLED: RunState.ABORT,
}


def start_events(told: LineageRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """The start of the run itself: when it began, or was asked for where it is queued yet."""
    run = told.run
    if (began := run.started_at or run.created_at) is not None:
        yield _run_event(told, parent, RunState.START, began)


def end_events(told: LineageRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """The end of the run itself, when dbt Cloud says that it ended; nothing while it goes on."""
    if told.run.finished_at is not None:
        yield _run_event(told, parent, _ending(told.run.status), told.run.finished_at)


def _run_event(told: LineageRun, parent: ParentRunMetadata, state: RunState, moment: datetime) -> RunEvent:
    """The OpenLineage run's id follows from the dbt Cloud run's: events of several tasks are of one run."""
    run = told.run
    facets: dict[str, Any] = {"parent": parent.to_openlineage()}
    run_id = generate_static_uuid(run.created_at or moment, f"dbt Cloud run {run.id}".encode())
    kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="JOB")
    name = f"{told.project['name']}.{told.job_name}"
    return RunEvent(
        eventTime=moment.isoformat(),
        run=OpenLineageRun(runId=str(run_id), facets=facets),
        job=Job(namespace=parent.job_namespace, name=name, facets={"jobType": kind}),
        eventType=state,
        producer=PRODUCER,
    )


def _ending(status: int) -> RunState:
    return _END_STATES.get(RunStatus(status), RunState.OTHER)

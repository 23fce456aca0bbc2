"""OpenLineage events of a run and of the nodes in its steps, made by the OpenLineage libraries."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import Job, RunEvent, RunState
from openlineage.client.event_v2 import Run as LineageRun
from openlineage.client.facet_v2 import job_type_job
from openlineage.client.uuid import generate_static_uuid
from openlineage.common.provider.dbt import DbtCloudArtifactProcessor

from airflow_dbt_cloud import __version__
from airflow_dbt_cloud.client.models import RunStatus
from airflow_dbt_cloud.lineage.told_run import StepArtifacts, ToldRun
from airflow_dbt_cloud.lineage.warehouse import profile_of

if TYPE_CHECKING:
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

PRODUCER = f"https://pypi.org/project/airflow-dbt-cloud/{__version__}"
"""The URI by which the events name what made them."""

ENDINGS = {
    RunStatus.SUCCESS: RunState.COMPLETE,
    RunStatus.ERROR: RunState.FAIL,
    RunStatus.CANCELLED: RunState.ABORT,
}


def start_events(told: ToldRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """The start of the run itself: when it began, or was asked for where it is queued yet."""
    run = told.run
    if (began := run.started_at or run.created_at) is not None:
        yield _run_event(told, parent, RunState.START, began)


def end_events(told: ToldRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """The end of the run itself, when dbt Cloud says that it ended; nothing while it goes on."""
    if told.run.finished_at is not None:
        yield _run_event(told, parent, _ending(told.run.status), told.run.finished_at)


def _run_event(told: ToldRun, parent: ParentRunMetadata, state: RunState, moment: datetime) -> RunEvent:
    """The OpenLineage run's id follows from the dbt Cloud run's: events of several tasks are of one run."""
    run = told.run
    facets: dict[str, Any] = {"parent": parent.to_openlineage()}
    run_id = generate_static_uuid(run.created_at or moment, f"dbt Cloud run {run.id}".encode())
    kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="JOB")
    name = f"{told.project['name']}.{told.job_name}"
    return RunEvent(
        eventTime=moment.isoformat(),
        run=LineageRun(runId=str(run_id), facets=facets),
        job=Job(namespace=parent.job_namespace, name=name, facets={"jobType": kind}),
        eventType=state,
        producer=PRODUCER,
    )


def step_events(finished: ToldRun, artifacts: StepArtifacts, parent: ParentRunMetadata) -> list[RunEvent]:
    """Events of the models, snapshots and tests of a step.

    Raises:
        Exception: Whatever the library raises, such as `NotImplementedError` for an adapter unknown to it.
    """
    processor = DbtCloudArtifactProcessor(
        producer=PRODUCER,
        job_namespace=parent.job_namespace,
        skip_errors=True,
        logger=logging.getLogger(__name__),
        manifest=artifacts.manifest,
        run_result=artifacts.run_results,
        profile=profile_of(finished.connections, artifacts.manifest),
        catalog=artifacts.catalog,
        project_name=finished.project["name"],
        account_id=str(finished.run.data["account_id"]),
    )
    processor.dbt_run_metadata = parent
    return list(processor.parse().events())


def _ending(status: int) -> RunState:
    return ENDINGS.get(RunStatus(status), RunState.OTHER)

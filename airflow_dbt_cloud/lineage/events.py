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
from airflow_dbt_cloud.lineage.finished_run import FinishedRun, StepArtifacts
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


def run_events(finished: FinishedRun, parent: ParentRunMetadata) -> Iterator[RunEvent]:
    """Start and end of the run itself, at the times that dbt Cloud tells; nothing while it goes on.

    The OpenLineage run's id follows from the dbt Cloud run's, so that events told twice are of one run.
    """
    run = finished.run
    if run.created_at is None or run.finished_at is None:
        return
    name = f"{finished.project['name']}.{finished.job_name}"
    facets: dict[str, Any] = {"parent": parent.to_openlineage()}
    run_id = generate_static_uuid(run.created_at, f"dbt Cloud run {run.id}".encode())
    kind = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="JOB")
    states = (RunState.START, run.started_at or run.created_at), (_ending(run.status), run.finished_at)
    for state, moment in states:
        yield RunEvent(
            eventTime=_told(moment),
            run=LineageRun(runId=str(run_id), facets=facets),
            job=Job(namespace=parent.job_namespace, name=name, facets={"jobType": kind}),
            eventType=state,
            producer=PRODUCER,
        )


def step_events(finished: FinishedRun, artifacts: StepArtifacts, parent: ParentRunMetadata) -> list[RunEvent]:
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


def _told(moment: datetime) -> str:
    return moment.isoformat()

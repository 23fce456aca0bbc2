"""Delete definitions. As in dbt Cloud, they stay in the store with state 2."""

from dataclasses import replace
from typing import TypeVar

from dbtcloud.local.model.records import (
    ACTIVE,
    DELETED,
    EnvironmentRecord,
    EnvironmentVariable,
    JobRecord,
    ProjectRecord,
    Status,
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery, RunQuery

_UNFINISHED = tuple(int(status) for status in Status if not status.finished)
_ALL = PageQuery(limit=-1)
_CONTENTS: dict[type, tuple[str, tuple[type[EnvironmentRecord | JobRecord | EnvironmentVariable], ...]]] = {
    ProjectRecord: ("project_id", (EnvironmentRecord, JobRecord, EnvironmentVariable)),
    EnvironmentRecord: ("environment_id", (JobRecord, EnvironmentVariable)),
}

_D = TypeVar("_D", bound=ProjectRecord | EnvironmentRecord | JobRecord | EnvironmentVariable)


def delete(cloud: Cloud, definition: _D) -> _D:
    """Delete a project, environment, job or variable with its contents, and cancel the runs of its jobs."""
    deleted = replace(definition, state=DELETED, updated_at=cloud.clock.now())
    cloud.store.definitions.put(deleted)
    column, kinds = _CONTENTS.get(type(definition), ("", ()))
    for kind in kinds:
        query = DefinitionQuery(definition.account_id, [(column, [definition.id]), ("state", [ACTIVE])])
        for content in cloud.store.definitions.find(kind, query, _ALL)[0]:
            delete(cloud, content)
    if isinstance(definition, JobRecord):
        _cancel_runs(cloud, definition)
    return deleted


def _cancel_runs(cloud: Cloud, job: JobRecord) -> None:
    query = RunQuery(job.account_id, job_ids=[job.id], statuses=_UNFINISHED)
    # The newest first. Otherwise, cancelling a run would start the run that waits for it.
    for run in cloud.store.runs.find(query, PageQuery(limit=-1, order_by="-id"), cloud.clock.now())[0]:
        cloud.cancel(run)

"""The facts about a run that its lineage needs: project, connections, dbt steps and their artifacts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.lineage.step_artifacts import StepArtifacts, library_catalog
from dbtcloud.client.downloads import download
from dbtcloud.client.errors import NotFound
from dbtcloud.client.models import Run, Step
from dbtcloud.client.protocol import Call
from dbtcloud.report.run_report_reader import DbtStep

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

# How long to wait for an artifact that must exist. Airflow's listener allows ten seconds for all of them.
_RETRY_SECONDS = 2.0


class LineageRun:
    """A run, with what a hook reads about it.

    Args:
        hook: A `DbtCloudHook`.
        run_id: The run.
        account_id: Its account, or None for the connection's.
        log: Gets warnings about what could not be read.
    """

    def __init__(self, hook: Any, run_id: int | str, account_id: int | str | None, log: Logger) -> None:
        self._hook = hook
        self._account = {"account_id": account_id} if account_id else {}
        self._log = log
        related = ["run_steps", "job", "environment"]
        answer = hook.get_job_run(run_id, include_related=related, **self._account)
        self.run = Run.parse(answer.json()["data"])

    @cached_property
    def project(self) -> dict[str, Any]:
        """The project with its connection, or only its id if it cannot be read."""
        project_id = self.run.data.get("project_id")
        try:
            return dict(self._hook.get_project(project_id, **self._account).json()["data"])
        except Exception as error:  # noqa: BLE001 -- lineage must not fail the task
            self._log.warning("Could not read project %s for OpenLineage: %s", project_id, error)
            return {"id": project_id, "name": str(project_id)}

    @property
    def job_name(self) -> str:
        """The job's name, or its id if dbt Cloud returned no name."""
        return str((self.run.data.get("job") or {}).get("name") or self.run.job_id)

    @property
    def connections(self) -> list[dict[str, Any]]:
        """The connections of the environment and of the project, in this order."""
        environment = self.run.data.get("environment") or {}
        return [found for each in (environment, self.project) if (found := each.get("connection"))]

    def steps(self) -> Iterator[StepArtifacts]:
        """Yield the artifacts of each dbt step that builds or tests nodes, if it has any."""
        for step in self.run.steps:
            if not DbtStep(step).builds_nodes:
                continue
            run_results = self._artifact("run_results.json", step)
            manifest = self._artifact("manifest.json", step) if run_results else None
            if manifest and run_results:
                yield StepArtifacts(step, manifest, run_results, self._catalog)

    @cached_property
    def _catalog(self) -> dict[str, Any] | None:
        step = next(filter(_writes_catalog, reversed(self.run.steps)), None)
        found = self._artifact("catalog.json", step) if step else None
        return library_catalog(found, self._log) if found else None

    def _artifact(self, path: str, step: Step) -> dict[str, Any] | None:
        """Return a JSON artifact of a step, or None with a warning."""

        def read() -> Call[dict[str, Any]]:
            yield from ()
            return self._read(path, step)

        account_id = self.run.data["account_id"]
        patient = download.retry_while_recent(read, account_id, self.run.id, longest=_RETRY_SECONDS)
        try:
            call = patient if DbtStep(step).must_have_results else read()
            return dict(self._hook._call(call))  # noqa: SLF001 -- its own
        except Exception as error:  # noqa: BLE001 -- lineage must not fail the task
            template = "Could not read %s of step %d, %s, of run %s for OpenLineage: %s"
            self._log.warning(template, path, step.index, step.name, self.run.id, error)
            return None

    def _read(self, path: str, step: Step) -> dict[str, Any]:
        """Read a JSON artifact of a step by the hook's method, which a subclass may override."""
        try:
            answer = self._hook.get_job_run_artifact(self.run.id, path, step=step.index, **self._account)
        except DbtCloudApiException as error:
            raise (error.error if isinstance(error.error, NotFound) else error) from error
        return dict(answer.json())


def _writes_catalog(step: Step) -> bool:
    return re.search(r"`dbt\s[^`]*\bdocs\s+generate\b", step.name) is not None

"""The client that `DbtCloudCredentials` opens: `DbtCloudClient` with prefect-dbt's names beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from dbtcloud.client import endpoints
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.models import Job, Run
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.shown_text import shown_value
from dbtcloud.resources.base.faces import Async, F, Resource, Sync, operation
from dbtcloud.resources.client import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.resources.jobs import Jobs
from dbtcloud.resources.runs import Runs

_CAUSE = "Triggered from Python"


class _Model(Protocol):
    """A model of pydantic, such as prefect-dbt's `TriggerJobRunOptions`."""

    def model_dump(self, *, exclude_none: bool) -> Mapping[str, Any]: ...


def _as_mapping(options: Mapping[str, Any] | _Model | None) -> Mapping[str, Any]:
    if options is not None and hasattr(options, "model_dump"):
        options = options.model_dump(exclude_none=True)
    if isinstance(options, Mapping | None):
        return options or {}
    raise InvalidArgument(
        f"options is {shown_value(options)}",
        why="It has to be a dict or a model",
        fix='Give it as {"git_branch": "main"}',
    )


class _PrefectNames(Resource[F]):
    """Calls under the names of prefect-dbt's administrative client."""

    @operation
    def trigger_job_run(self, job_id: Id, options: Mapping[str, Any] | _Model | None = None) -> Call[Run]:
        """Start a run of a job exactly once, as `jobs.run` does.

        Args:
            job_id: The job.
            options: The run's cause and overrides (API v2, "Trigger Job Run"), as a dict or a model.

        Raises:
            InvalidArgument: If an option cannot be used.
            AmbiguousStart: If it is not clear whether the run was started.
            DbtCloudError: If the request fails.
        """
        arguments = {"cause": _CAUSE, **_as_mapping(options)}
        if "job_id" in arguments:
            raise InvalidArgument(
                "The options have a job_id", why="They are for the run", fix="Give job_id=…"
            )
        return (yield from Jobs.run(Jobs(self._engine), job_id, **arguments))

    @operation
    def get_job(self, job_id: Id) -> Call[Job]:
        """Get a job, as `jobs.get` does.

        Raises:
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.get_job(self._account_id, job_id))

    @operation
    def get_run(self, run_id: Id, include_related: Iterable[str] | None = None) -> Call[Run]:
        """Get a run, as `runs.get` does.

        Args:
            run_id: The run.
            include_related: What is sent with it, such as "run_steps" and "trigger".

        Raises:
            DbtCloudError: If the request fails.
        """
        return (yield from Runs.get(Runs(self._engine), run_id, include_related=include_related))

    @operation
    def list_run_artifacts(self, run_id: Id, step: int | None = None) -> Call[list[str]]:
        """List the paths of a run's artifacts, as `artifacts.list` does. dbt Cloud ignores `step` here.

        Raises:
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.list_artifacts(self._account_id, run_id, step=step))

    @operation
    def get_run_artifact(self, run_id: Id, path: str, step: int | None = None) -> Call[Any]:
        """Get an artifact: the content of a JSON file, the text of another one.

        Args:
            run_id: The run.
            path: The artifact, such as "manifest.json" or "compiled/shop/models/orders.sql".
            step: The step that wrote it; the last one if None.

        Raises:
            NotFound: If there is no such artifact.
            DbtCloudError: If the request fails.
        """
        if path.endswith(".json"):
            return (yield from endpoints.get_json_artifact(self._account_id, run_id, path, step=step))
        answer = yield from endpoints.get_artifact(self._account_id, run_id, path, step=step)
        return answer.body.decode(errors="replace")

    @operation
    def call_endpoint(
        self,
        http_method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Call[Any]:
        """Send any request, as `request` does, and return its JSON.

        Args:
            http_method: "GET", "POST", …
            path: The path after the account, such as "/jobs/".
            params: The query.
            json: The body.

        Raises:
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.send(self._account_id, http_method, path, params=params, body=json))


class AdministrativeClient(_PrefectNames[Sync], DbtCloudClient):
    """A `DbtCloudClient` that also has the names of prefect-dbt's client."""


class AsyncAdministrativeClient(_PrefectNames[Async], AsyncDbtCloudClient):
    """An `AsyncDbtCloudClient` that also has the names of prefect-dbt's client."""

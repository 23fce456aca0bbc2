"""The hook's verbs for the artifacts of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.client import endpoints
from airflow_dbt_cloud.client.protocol import Call
from airflow_dbt_cloud.hooks.accounts import Id, fallback_to_default_account, known, provide_account_id
from airflow_dbt_cloud.hooks.conversations import ConversingHook

if TYPE_CHECKING:
    from requests import Response


class ArtifactVerbs(ConversingHook):
    """Reads what runs have left behind; `account_id` is the connection's Account ID unless given."""

    @fallback_to_default_account
    def list_job_run_artifacts(
        self, run_id: Id, account_id: Id | None = None, step: int | None = None
    ) -> list[Response]:
        """Paths of a run's artifacts."""
        return self._answers(endpoints.list_artifacts(known(account_id), run_id, step=step))

    @fallback_to_default_account
    def get_job_run_artifact(
        self, run_id: Id, path: str, account_id: Id | None = None, step: int | None = None
    ) -> Response:
        """An artifact of a run, such as "manifest.json"; of the last step unless `step` names another."""
        return self._answer(endpoints.get_artifact(known(account_id), run_id, path, step=step))

    @provide_account_id
    async def get_job_run_artifacts_concurrently(
        self, run_id: Id, artifacts: list[str], account_id: Id | None = None, step: int | None = None
    ) -> dict[str, Any]:
        """Several JSON artifacts of a run at once, by path."""

        def artifact(path: str) -> Call[Any]:
            return endpoints.get_json_artifact(known(account_id), run_id, path, step=step)

        async with self._client() as client:
            found = await client.ask_all(artifact(path) for path in artifacts)
        return dict(zip(artifacts, found, strict=True))

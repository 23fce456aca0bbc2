"""The hook's verbs for the artifacts of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.hooks.connection.base import DbtCloudBaseHook, as_airflow_exceptions
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    provide_account_id,
    require_account,
)
from airflow_dbt_cloud.hooks.downloads.download import Download
from airflow_dbt_cloud.hooks.downloads.run_log_file import RunLogFile
from airflow_dbt_cloud.hooks.downloads.storage import Target, resolve_destination
from airflow_dbt_cloud.hooks.verbs.own_verb import is_replaced, own_verb
from dbtcloud.client import endpoints
from dbtcloud.client.protocol import Call

if TYPE_CHECKING:
    from requests import Response


class ArtifactVerbs(DbtCloudBaseHook):
    """Reads and downloads the artifacts of runs.

    `account_id` is the connection's Account ID unless given.
    """

    @fallback_to_default_account
    def list_job_run_artifacts(
        self, run_id: Id, account_id: Id | None = None, step: int | None = None
    ) -> list[Response]:
        """Return the paths of a run's artifacts."""
        return self._answers(endpoints.list_artifacts(require_account(account_id), run_id, step=step))

    @own_verb
    @fallback_to_default_account
    def get_job_run_artifact(
        self, run_id: Id, path: str, account_id: Id | None = None, step: int | None = None
    ) -> Response:
        """Return an artifact of a run, such as "manifest.json".

        It is that of the last step unless `step` names another.
        """
        return self._answer(endpoints.get_artifact(require_account(account_id), run_id, path, step=step))

    @provide_account_id
    async def get_job_run_artifacts_concurrently(
        self, run_id: Id, artifacts: list[str], account_id: Id | None = None, step: int | None = None
    ) -> dict[str, Any]:
        """Return several JSON artifacts of a run by path, read at the same time."""

        def artifact(path: str) -> Call[Any]:
            return endpoints.get_json_artifact(require_account(account_id), run_id, path, step=step)

        async with self._client() as client:
            found = await client.ask_all(artifact(path) for path in artifacts)
        return dict(zip(artifacts, found, strict=True))

    def download_job_run_artifact(
        self, run_id: Id, path: str, target: Target, account_id: Id | None = None, step: int | None = None
    ) -> str:
        """Write an artifact to a file or an object store as it arrives, whatever its size.

        The bytes are those that dbt Cloud stores. A file at `target` is replaced once all of them have
        arrived, and otherwise left as it is. If `get_job_run_artifact` is overridden or patched, the body of
        its response is written.

        Args:
            run_id: The run.
            path: The artifact, such as "manifest.json".
            target: The file: a path, a URL such as "s3://bucket/manifest.json", or an `ObjectStoragePath`.
            account_id: The account.
            step: The step that wrote it; the last if None.

        Returns:
            The target, as text.

        Raises:
            DbtCloudApiException: If there is no such artifact, it cannot be written, or dbt Cloud cannot be
                reached. If a run that has just ended lacks it, the method waits for it, a minute at most.
        """
        download = Download(self, run_id, account_id, step)
        with as_airflow_exceptions():
            return download.one(path, resolve_destination(target))

    def download_job_run_artifacts(
        self,
        run_id: Id,
        paths: Iterable[str],
        folder: Target,
        account_id: Id | None = None,
        step: int | None = None,
    ) -> list[str]:
        """Write several artifacts into a folder, ten at a time, under their own paths.

        Args:
            run_id: The run.
            paths: Names and patterns: `*` and `?` stay within a folder, `**` goes through any number of them.
                So "compiled/**" is everything in `compiled`, and "**" all of the run. dbt Cloud lists the
                artifacts of a run, not of a step: with `step`, what a pattern means beyond it is left out.
            folder: A path, a URL or an `ObjectStoragePath`.
            account_id: The account.
            step: The step that wrote them; the last if None.

        Returns:
            What was written, in the order of `paths`, and by name where a pattern means several.

        Raises:
            DbtCloudApiException: As `download_job_run_artifact` does; also if a pattern means nothing, or a
                name would lead out of the folder. Artifacts that were written before stay.
        """
        download = Download(self, run_id, account_id, step)
        with as_airflow_exceptions():
            return download.several(list(paths), folder)

    @fallback_to_default_account
    def download_job_run_logs(
        self,
        run_id: Id,
        target: Target,
        account_id: Id | None = None,
        steps: Sequence[int] | None = None,
        debug: bool = False,
    ) -> str:
        """Write the logs of a run's steps to one file or object, in little memory whatever their size.

        Each step's log has a line with the step's name above it, unless there is only one step. A file at
        `target` is replaced once all is written, and otherwise left as it is.

        Args:
            run_id: The run. If it has not ended, its logs so far are written, and a warning is logged.
            target: The file: a path, a URL such as "s3://bucket/run.log", or an `ObjectStoragePath`.
            account_id: The account.
            steps: The steps, by their position from 1; all if None.
            debug: Write dbt's debug log of each step that runs dbt, in its full length.

        Returns:
            The target, as text.

        Raises:
            DbtCloudApiException: If there is no such run or step, none of the steps has a log, the file
                cannot be written, or dbt Cloud cannot be reached. If a step of a run that has just ended
                lacks its log, the method waits for it, a minute at most.
        """
        with as_airflow_exceptions(), RunLogFile(run_id, self.log) as file:
            self._call(file.read(require_account(account_id), steps, debug=debug))
            return file.write(resolve_destination(target))

    @provide_account_id
    async def download_job_run_artifacts_concurrently(
        self, run_id: Id, targets: Mapping[str, Target], account_id: Id | None = None, step: int | None = None
    ) -> list[str]:
        """Write several artifacts as `download_job_run_artifact` does, from an event loop.

        Args:
            run_id: The run.
            targets: Where each goes, by its path.
            account_id: The account.
            step: The step that wrote them; the last if None.

        Returns:
            What was written, in the order of `targets`.
        """
        download = Download(self, run_id, account_id, step)
        async with self._client() as client:
            return await download.on_loop(client, targets)

    @property
    def has_artifact_override(self) -> bool:
        """Return whether a subclass or a patch has replaced `get_job_run_artifact`."""
        return is_replaced(self.get_job_run_artifact)

"""Writes artifacts of a run to files and object stores, for the hook's verbs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.connection.default_account import Id, require_account
from airflow_dbt_cloud.hooks.downloads.progress import DownloadProgress
from airflow_dbt_cloud.hooks.downloads.replaced_artifact import body_of
from airflow_dbt_cloud.hooks.downloads.storage import Target, resolve_destination
from airflow_dbt_cloud.hooks.parallel.thread_map import map_in_threads
from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download as downloads
from dbtcloud.client.downloads.atomic_download import AtomicDownload, Destination
from dbtcloud.client.downloads.patterns import ArtifactSelection, relative_path
from dbtcloud.client.errors import ArtifactMissing, NotFound
from dbtcloud.client.protocol import Call, T

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from requests import Response

    from dbtcloud.client.transport.async_client import AsyncClient

CONCURRENT_DOWNLOADS = 10
"""Artifacts that are downloaded at once."""


class _ArtifactReader(Protocol):
    """The part of a hook that downloads use.

    Its verbs are public, so that overriding one takes effect.
    """

    @property
    def log(self) -> Logger:
        """The task's log."""

    @property
    def has_artifact_override(self) -> bool:
        """Return whether `get_job_run_artifact` has been replaced."""

    def get_job_run_artifact(
        self, run_id: Id, path: str, account_id: Id | None = None, step: int | None = None
    ) -> Response:
        """Return an artifact."""

    def list_job_run_artifacts(
        self, run_id: Id, account_id: Id | None = None, step: int | None = None
    ) -> list[Response]:
        """Return the pages of the list of artifacts."""

    def _call(self, call: Call[T]) -> T: ...
    @property
    def _credentials(self) -> object: ...
    def _resolve_account_id(self) -> int: ...
    def close(self) -> None:
        """Close this thread's session."""


class Download:
    """Downloads artifacts of one run, or of one of its steps.

    Args:
        hook: The hook.
        run_id: The run.
        account_id: The account; the connection's if None.
        step: The step; the last that wrote an artifact if None.
    """

    def __init__(self, hook: _ArtifactReader, run_id: Id, account_id: Id | None, step: int | None) -> None:
        self._hook, self._run_id, self._account_id, self._step = hook, run_id, account_id, step
        self._progress = DownloadProgress(run_id, 1, hook.log)

    def one(self, path: str, where: Destination, *, wait: bool = True) -> str:
        """Write an artifact and return its destination.

        With `wait`, an artifact that is still missing is waited for, a minute at most.
        """
        with self._atomic(path, where) as file:
            if self._hook.has_artifact_override:
                self._write_from_verb(path, file)
            else:
                download = downloads.fetch_artifact if wait else endpoints.download_artifact
                self._call(download(self._account, self._run_id, path, file, step=self._step))
        self._progress.add_artifact()
        return str(where)

    def several(self, wanted: list[str], folder: Target) -> list[str]:
        """Write the artifacts that match names and patterns into a folder, and return their destinations."""
        names = self._matches(wanted)
        places = [(name, resolve_destination(folder, relative_path(name))) for name in names]
        self._progress = DownloadProgress(self._run_id, len(names), self._hook.log)
        if not self._hook.has_artifact_override:
            # Read the connection before there are threads: those may not ask Airflow for it.
            _ = self._hook._credentials  # noqa: SLF001 -- its hook's own
        found = map_in_threads(
            partial(self._one_of, set(wanted)),
            places,
            threads=CONCURRENT_DOWNLOADS,
            stop=self._progress.stop,
            leave=self._hook.close,
        )
        written = [where for where in found if where is not None]
        if names and not written:
            why = f"Step {self._step} has written none of the artifacts that match"
            raise ArtifactMissing(self._run_id, wanted[0], names, why=why)
        self._hook.log.info("Fetched %s, to %s in %.1f s.", self._progress, folder, self._progress.seconds)
        return written

    async def on_loop(self, client: AsyncClient, targets: Mapping[str, Target]) -> list[str]:
        """Write each artifact to its destination, all at the same time."""
        self._progress = DownloadProgress(self._run_id, len(targets), self._hook.log)
        places = await asyncio.to_thread(
            lambda: {path: resolve_destination(to) for path, to in targets.items()}
        )
        files = {path: self._atomic(path, where) for path, where in places.items()}
        account = require_account(self._account_id)
        try:
            await client.ask_all(
                downloads.fetch_artifact(account, self._run_id, path, file, step=self._step)
                for path, file in files.items()
            )
        finally:
            await asyncio.to_thread(_discard_unfinished, files.values())
        return [str(where) for where in places.values()]

    @property
    def _account(self) -> Id:
        """Return the account, which is the connection's if the caller gave None.

        Replaced verbs get it as the caller gave it.
        """
        given = self._account_id
        return self._hook._resolve_account_id() if given is None else given  # noqa: SLF001 -- its hook's own

    def _write_from_verb(self, path: str, file: AtomicDownload) -> None:
        answer = self._hook.get_job_run_artifact(
            run_id=self._run_id, path=path, account_id=self._account_id, step=self._step
        )
        file.begin()
        file.write(body_of(answer, path))
        file.end()

    def _atomic(self, path: str, where: Destination) -> AtomicDownload:
        what, is_json = f"Artifact {path!r} of run {self._run_id}", path.endswith(".json")
        return AtomicDownload(where, what, is_json=is_json, on_progress=self._progress.add_bytes)

    def _matches(self, wanted: list[str]) -> list[str]:
        """Return the artifacts that match names and patterns.

        The list of a run that has just ended may not be complete, so it is read again for a while.
        """
        selection = ArtifactSelection(wanted)
        if not selection.has_patterns:
            return list(dict.fromkeys(wanted))

        def read() -> Call[list[str]]:
            yield from ()  # a call that sends nothing itself: the verb does
            pages = self._hook.list_job_run_artifacts(self._run_id, self._account_id, self._step)
            names = [name for page in pages for name in page.json()["data"] or ()]
            found, unmatched = selection.select(names)
            if unmatched:
                run = yield from endpoints.get_run(self._account, self._run_id)
                why = downloads.unsuccessful_end(run)
                raise ArtifactMissing(self._run_id, unmatched[0], names, why=why)
            return found

        return self._call(downloads.retry_while_recent(read, self._account, self._run_id))

    def _one_of(self, named: set[str], item: tuple[str, Destination]) -> str | None:
        """Write one of several artifacts and return its destination.

        Return None if only a pattern matches it and the step has not written it.
        """
        path, where = item
        # The list is the run's. What a pattern finds in it need not be of this step.
        must_exist = self._step is None or path in named
        try:
            return self.one(path, where, wait=must_exist)
        except DbtCloudApiException as error:
            if must_exist or not isinstance(error.error, NotFound):
                raise
            self._hook.log.info("Step %s has not written %s.", self._step, path)
            return None

    def _call(self, call: Call[T]) -> T:
        return self._hook._call(call)  # noqa: SLF001 -- its hook's own


def _discard_unfinished(files: Iterable[AtomicDownload]) -> None:
    for file in files:
        file.__exit__()

"""How a hook's verbs write artifacts of a run to files and object stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.connection.default_account import Id, known
from airflow_dbt_cloud.hooks.downloads.parallel import each
from airflow_dbt_cloud.hooks.downloads.progress import DownloadProgress
from airflow_dbt_cloud.hooks.downloads.storage import Target, place
from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download as fetching
from dbtcloud.client.downloads import patterns
from dbtcloud.client.downloads.atomic_download import AtomicDownload, Destination
from dbtcloud.client.errors import NotFound
from dbtcloud.client.protocol import Call, T

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.verbs.artifacts import ArtifactVerbs
    from dbtcloud.client.transport.async_client import AsyncClient


class Download:
    """Artifacts of one run, or of one of its steps.

    Args:
        hook: Whose verbs are used, so that overriding one takes effect.
        run_id: The run.
        account_id: The account; the connection's if None.
        step: The step; the last that wrote an artifact if None.
    """

    def __init__(self, hook: ArtifactVerbs, run_id: Id, account_id: Id | None, step: int | None) -> None:
        self._hook, self._run_id, self._account_id, self._step = hook, run_id, account_id, step
        self._tally = DownloadProgress(run_id, 1, hook.log)

    def one(self, path: str, where: Destination, *, wait: bool = True) -> str:
        """Write an artifact and say where; with `wait`, one that is missing may still be about to come."""
        with self._landing(path, where) as landing:
            if self._hook.has_own_way:
                self._land_by_verb(path, landing)
            else:
                download = fetching.fetch_artifact if wait else endpoints.download_artifact
                self._call(download(self._account, self._run_id, path, landing, step=self._step))
        self._tally.landed()
        return str(where)

    def several(self, wanted: list[str], folder: Target) -> list[str]:
        """Write what names and patterns stand for into a folder, ten at a time, and say where each is."""
        names = self._meant(wanted)
        places = [(name, place(folder, patterns.relative_path(name))) for name in names]
        self._tally = DownloadProgress(self._run_id, len(names), self._hook.log)
        if not self._hook.has_own_way:  # read before there are threads, which may not ask Airflow for it
            self._hook._credentials()  # noqa: SLF001 -- its hook's own
        fetch = partial(self._one_of, set(wanted))
        found = each(fetch, places, stop=self._tally.stop, leave=self._hook.close)
        written = [where for where in found if where is not None]
        if names and not written:
            why = f"Step {self._step} has written none of what is meant"
            raise patterns.artifact_missing(self._run_id, wanted[0], names, why=why)
        self._hook.log.info("Fetched %s, to %s in %.1f s.", self._tally, folder, self._tally.seconds)
        return written

    async def on_loop(self, client: AsyncClient, targets: Mapping[str, Target]) -> list[str]:
        """Write each of the artifacts to its place, all at the same time."""
        self._tally = DownloadProgress(self._run_id, len(targets), self._hook.log)
        places = await asyncio.to_thread(lambda: {path: place(to) for path, to in targets.items()})
        landings = {path: self._landing(path, where) for path, where in places.items()}
        account = known(self._account_id)
        try:
            await client.ask_all(
                fetching.fetch_artifact(account, self._run_id, path, landing, step=self._step)
                for path, landing in landings.items()
            )
        finally:
            await asyncio.to_thread(_leave, landings.values())
        return [str(where) for where in places.values()]

    @property
    def _account(self) -> Id:
        """The account; the verbs of users are given it as it was given."""
        given = self._account_id
        return self._hook._resolve_account_id() if given is None else given  # noqa: SLF001 -- its hook's own

    def _land_by_verb(self, path: str, landing: AtomicDownload) -> None:
        answer = self._hook.get_job_run_artifact(
            run_id=self._run_id, path=path, account_id=self._account_id, step=self._step
        )
        landing.begin()
        landing.write(answer.content)
        landing.end()

    def _landing(self, path: str, where: Destination) -> AtomicDownload:
        what, is_json = f"Artifact {path!r} of run {self._run_id}", path.endswith(".json")
        return AtomicDownload(where, what, is_json=is_json, on_progress=self._tally.came)

    def _meant(self, wanted: list[str]) -> list[str]:
        """The artifacts that names and patterns stand for; a run that has just ended may not list all yet."""
        if not any(map(patterns.is_pattern, wanted)):
            return list(dict.fromkeys(wanted))

        def look() -> Call[list[str]]:
            yield from ()
            pages = self._hook.list_job_run_artifacts(self._run_id, self._account_id, self._step)
            names = [name for page in pages for name in page.json()["data"] or ()]
            found, unmatched = patterns.select_artifacts(names, wanted)
            if unmatched:
                raise patterns.artifact_missing(self._run_id, unmatched[0], names)
            return found

        meant: list[str] = self._call(fetching.retry_while_recent(look, self._account, self._run_id))
        return meant

    def _one_of(self, named: set[str], item: tuple[str, Destination]) -> str | None:
        """Write one of several; None where only a pattern meant it and the step has not written it."""
        path, where = item
        certain = self._step is None or path in named
        try:
            return self.one(path, where, wait=certain)
        except DbtCloudApiException as error:
            if certain or not isinstance(error.error, NotFound):
                raise
            self._hook.log.info("Step %s has not written %s.", self._step, path)
            return None

    def _call(self, call: Call[T]) -> T:
        return self._hook._call(call)  # noqa: SLF001 -- its hook's own


def _leave(landings: Iterable[AtomicDownload]) -> None:
    for landing in landings:
        landing.__exit__()

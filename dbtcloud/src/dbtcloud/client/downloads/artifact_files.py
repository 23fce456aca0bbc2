"""Calls that write the artifacts of a run to files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.downloads.download import fetch_artifact, retry_while_recent, unsuccessful_end
from dbtcloud.client.downloads.patterns import ArtifactSelection, relative_path
from dbtcloud.client.errors import (
    ArtifactError,
    ArtifactMissing,
    DbtCloudError,
    InvalidArgument,
    NotFound,
)
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.shown_text import shown_value

_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


class ArtifactFiles:
    """The files that a download writes: one artifact, or all that match a pattern.

    Args:
        account_id: The account.
        run_id: The run.
        wanted: The name of an artifact, or a pattern (see `ArtifactSelection`).
        to: Where they go (see `_places`).
        step: The step that wrote them; the last one that did if None.
    """

    def __init__(
        self, account_id: Id, run_id: Id, wanted: str, to: str | os.PathLike[str], step: int | None = None
    ) -> None:
        for name, value, kind in (("path_or_pattern", wanted, str), ("to", to, str | os.PathLike)):
            if not isinstance(value, kind):
                raise InvalidArgument(f"{name} is {shown_value(value)}", fix="Give a path as a text")
        self._account_id, self._run_id, self._step = account_id, run_id, step
        self._wanted, self._to = wanted, os.fspath(to)
        self._selection = ArtifactSelection([wanted])
        self._names: list[str] = []
        self._failure: BaseException | None = None
        self._is_stopped = False

    def plan(self) -> Call[list[Call[Path | None]]]:
        """Return a call for each file, which writes it and returns where it is.

        The call returns None if only the pattern asks for the artifact, and the step has not written it.

        Raises:
            ArtifactMissing: If no artifact matches the pattern.
            ArtifactError: If a name would leave the folder.
            InvalidArgument: If the pattern matches several, and `to` is a file.
            NotFound: If there is no such run.
        """
        self._names = yield from self._select()
        return [self._save(name, where) for name, where in zip(self._names, self._places(), strict=True)]

    def written(self, paths: Sequence[Path | None]) -> list[Path]:
        """Return where the written files are.

        Args:
            paths: The results of all calls.

        Raises:
            ArtifactMissing: If the step has written none.
        """
        found = [path for path in paths if path is not None]
        if not found:
            why = f"Step {self._step} has written none of the artifacts that match"
            raise ArtifactMissing(self._run_id, self._wanted, self._names, why=why)
        return found

    def _select(self) -> Call[list[str]]:
        """Return the names of the artifacts. The list of a run that has just ended is waited for."""
        if not self._selection.has_patterns:
            return [self._wanted]

        def read() -> Call[list[str]]:
            names = yield from endpoints.list_artifacts(self._account_id, self._run_id)
            selected, unmatched = self._selection.select(names)
            if unmatched:
                run = yield from endpoints.get_run(self._account_id, self._run_id)
                raise ArtifactMissing(self._run_id, self._wanted, names, why=unsuccessful_end(run))
            return selected

        return (yield from retry_while_recent(read, self._account_id, self._run_id))

    def _places(self) -> list[Path]:
        """Return the paths of the files, as `cp --parents` would choose them.

        Below a folder, an artifact keeps its whole name. `to` is a folder if it is there as one, ends in a
        slash, or a pattern asks for the artifacts. Else it is the path of the file.
        """
        to, has_patterns = Path(self._to), self._selection.has_patterns
        if has_patterns and to.exists() and not to.is_dir():
            raise InvalidArgument(
                f"{self._to!r} is a file, and the pattern {self._wanted!r} may match several artifacts",
                fix="Give a folder, or the whole name of one artifact",
            )
        if has_patterns or to.is_dir() or self._to.endswith(_SEPARATORS):
            return [to / relative_path(name) for name in self._names]
        return [to]

    def _save(self, name: str, where: Path) -> Call[Path | None]:
        """Write one artifact. When one fails, the others end at their next bytes."""
        try:
            with self._atomic(name, where) as file:
                if self._must_exist:
                    yield from fetch_artifact(self._account_id, self._run_id, name, file, step=self._step)
                else:
                    yield from endpoints.download_artifact(
                        self._account_id, self._run_id, name, file, step=self._step
                    )
        except BaseException as error:
            if isinstance(error, NotFound) and not self._must_exist:
                return None
            self._failure, self._is_stopped = self._failure or error, True
            raise
        return where

    @property
    def _must_exist(self) -> bool:
        # The list is the run's. What a pattern finds in it need not be of this step.
        return self._step is None or not self._selection.has_patterns

    def _atomic(self, name: str, where: Path) -> AtomicDownload:
        return AtomicDownload(
            LocalDestination(where),
            f"Artifact {name!r} of run {self._run_id}",
            is_json=name.endswith(".json"),
            on_progress=self._check_others,
        )

    def stop(self) -> None:
        """End the calls that still run, at their next bytes."""
        self._is_stopped = True

    def _check_others(self, _: int) -> None:
        if isinstance(self._failure, DbtCloudError):
            raise self._failure  # the results of calls are read in order, and this may be an earlier one
        if self._is_stopped:
            raise ArtifactError(f"The download of artifacts of run {self._run_id} was interrupted")

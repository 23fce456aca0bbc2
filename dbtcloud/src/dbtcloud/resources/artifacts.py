"""The files that dbt wrote in runs."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.artifact_files import ArtifactFiles
from dbtcloud.client.downloads.download import find_artifact
from dbtcloud.client.models import Json
from dbtcloud.client.protocol import Call, Id, Request, identifier
from dbtcloud.resources.base.faces import CallBatch, F, Resource, batch, listing, operation
from dbtcloud.resources.base.pages import Listing


class Artifacts(Resource[F]):
    """The files that dbt wrote in runs (API v2, "Runs": artifacts).

    Those of a run that has ended less than a minute ago are waited for: dbt Cloud may still store them.
    """

    @listing
    def list(self, run_id: Id, *, limit: int | None = None) -> Listing[str]:
        """List the paths of a run's artifacts, such as "manifest.json" (API v2, "List Run Artifacts").

        They come in one answer, without a wait for those of a run that has just ended.

        Args:
            run_id: The run.
            limit: Largest number of paths; all if None.
        """
        request = Request.get(self._account_id, "runs", identifier(run_id, "run id"), "artifacts")
        return Listing(request, _path_of, limit, rows=_rows)

    @operation
    def get(self, run_id: Id, path: str, step: int | None = None) -> Call[bytes]:
        """Get an artifact as bytes (API v2, "Retrieve Run Artifact").

        It is kept in memory; `download` is for large ones.

        Args:
            run_id: The run.
            path: The artifact's path, such as "manifest.json".
            step: The step that wrote it, from 1; the last one if None.

        Raises:
            ArtifactMissing: If the run has no such artifact. The message names those that it has.
            NotFound: If there is no such run.
            MalformedResponse: If what came is not the artifact, such as a login page.
            DbtCloudError: If the request fails.
        """

        def read() -> Call[bytes]:
            return (yield from endpoints.get_artifact(self._account_id, run_id, path, step=step)).body

        return (yield from find_artifact(read, self._account_id, run_id, path, step=step))

    @operation
    def json(self, run_id: Id, path: str, step: int | None = None) -> Call[Any]:
        """Get an artifact and parse it as JSON.

        Args:
            run_id: The run.
            path: The artifact's path, such as "run_results.json".
            step: The step that wrote it, from 1; the last one if None.

        Raises:
            ArtifactMissing: If the run has no such artifact. The message names those that it has.
            NotFound: If there is no such run.
            MalformedResponse: If it is not JSON.
            DbtCloudError: If the request fails.
        """

        def read() -> Call[Any]:
            return (yield from endpoints.get_json_artifact(self._account_id, run_id, path, step=step))

        return (yield from find_artifact(read, self._account_id, run_id, path, step=step))

    @batch
    def download(
        self, run_id: Id, path_or_pattern: str, to: str | os.PathLike[str], step: int | None = None
    ) -> CallBatch[builtins.list[Path]]:
        """Write an artifact, or all that match a pattern, to files. Several are fetched at the same time.

        Each file is complete or not there, and an earlier one is replaced by a complete one. Little memory is
        needed, however large it is. If one fails, those that are complete stay, and no others follow.

        Args:
            run_id: The run.
            path_or_pattern: The artifact's path, such as "manifest.json", or a pattern: `*`, `?` and `[ab]`
                match within a folder, `**` matches any number of folders.
            to: A folder, below which each artifact keeps its path; missing folders are made. For one artifact
                without a pattern, it is the path of the file, unless it is an existing folder or ends in "/".
            step: The step that wrote them, from 1; the last one that did if None. With a pattern, artifacts
                that this step has not written are left out.

        Returns:
            The paths of the files.

        Raises:
            ArtifactMissing: If the run has no such artifact, or none that matches.
            ArtifactError: If a file cannot be written, or an artifact's name would leave the folder.
            NotFound: If there is no such run.
            InvalidArgument: If the pattern may match several artifacts, and `to` is a file.
            DbtCloudError: If a request fails.
        """
        files = ArtifactFiles(self._account_id, run_id, path_or_pattern, to, step)
        return CallBatch(files.plan, files.written, files.stop)


def _rows(data: Any) -> list[Json]:
    return [{"id": path} for path in endpoints.artifact_paths(data)]


def _path_of(row: Json) -> str:
    return str(row["id"])

"""The destinations of artifacts: paths of this machine, and Airflow's object storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from dbtcloud.client.downloads.atomic_download import Destination, LocalDestination
from dbtcloud.client.errors import ArtifactError

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

Target: TypeAlias = "str | os.PathLike[str] | ObjectStoragePath"
"""A path, a URL such as "s3://bucket/folder" (with a connection: "s3://conn_id@bucket/folder"), or an
`ObjectStoragePath`."""

_PROVIDERS = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}
"""The packages that bring the most used stores."""


def resolve_destination(target: Target, below: str = "") -> Destination:
    """Return the destination for a target, or for a relative path below it.

    Raises:
        ArtifactError: If Airflow knows no such store, or cannot open it.
    """
    path = _object_path(target)
    if path is None:
        return LocalDestination(Path(str(target)) / below)
    if path.protocol in {"file", "local"}:
        return LocalDestination(Path(path.path) / below)
    with _explain_errors(str(target)):
        conn_id = path.storage_options.get("conn_id") or getattr(
            path, "conn_id", None
        )  # the first: Airflow 3.1
        signed = f"{path.protocol}://{conn_id}@" if conn_id else f"{path.protocol}://"
        return _StoredDestination(path.fs, "/".join(filter(None, (path.path.rstrip("/"), below))), signed)


def _object_path(target: Target, conn_id: str | None = None) -> ObjectStoragePath | None:
    """Return a target as an `ObjectStoragePath`, or None for a plain path.

    Raises:
        ArtifactError: If there is no such kind of store.
    """
    if hasattr(type(target), "fs"):  # asking the path itself would open its store
        return cast("ObjectStoragePath", target)
    url = str(target)
    if "://" not in url:
        return None
    from airflow.sdk import ObjectStoragePath

    with _explain_errors(url):  # Airflow 3.1 takes a None for the connection, whatever the URL says
        return ObjectStoragePath(url, conn_id=conn_id) if conn_id else ObjectStoragePath(url)


@contextmanager
def _explain_errors(url: str) -> Iterator[None]:
    """Raise an ArtifactError for any error: Airflow and each store's library have their own."""
    try:
        yield
    except Exception as error:
        provider = _PROVIDERS.get(url.partition("://")[0])
        raise ArtifactError(
            f"Nothing can be written to {url}",
            why=str(error),
            fix=f"Install {provider}, and check the connection" if provider else "Check URL and connection",
        ) from error


def join_target(folder: Target | None, name: str, conn_id: str | None = None) -> Target:
    """Return the target for a name below a folder, or for the name alone if the folder is None."""
    if folder is None:
        return _object_path(name, conn_id) or name
    path = _object_path(folder, conn_id)
    return Path(str(folder)) / name if path is None else path / name


class _StoredDestination:
    """A file in an object store.

    It is written under a temporary name beside it, then moved. In stores that cannot move it is copied.

    Args:
        fs: The store's fsspec file system.
        path: The name, with its bucket.
        url_prefix: The start of its URL, with the connection, so that `ObjectStoragePath` takes it.
    """

    def __init__(self, fs: Any, path: str, url_prefix: str) -> None:
        self._fs, self._path, self._url_prefix = fs, path, url_prefix
        self._opened = False

    def __str__(self) -> str:
        return self._url_prefix + self._path.lstrip("/")

    @cached_property
    def _part(self) -> str:
        return f"{self._path.rpartition('/')[0]}/{LocalDestination.temporary_name()}"

    def open(self) -> IO[bytes]:
        """See `Destination`. Folders are made only in a store that has folders."""
        self._opened = True
        try:
            file: IO[bytes] = self._fs.open(self._part, "wb")
        except FileNotFoundError:
            self._fs.makedirs(self._path.rpartition("/")[0], exist_ok=True)
            file = self._fs.open(self._part, "wb")
        return file

    def publish(self) -> None:
        """See `Destination`. A copy is complete, even if its source cannot be removed afterwards."""
        if self._copies:
            self._fs.cp_file(self._part, self._path)
        else:
            self._fs.mv(self._part, self._path)
            self._opened = False

    @property
    def _copies(self) -> bool:
        """Return whether to copy because the store has no move of its own.

        fsspec's generic move would take `[` in a name for a pattern.
        """
        return bool(type(self._fs).mv.__module__ == "fsspec.spec")

    def discard(self) -> None:
        """See `Destination`."""
        if self._opened:
            with suppress(FileNotFoundError):
                self._fs.rm_file(self._part)
            self._opened = False

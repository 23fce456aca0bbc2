"""Where artifacts are written to: paths of this machine, and Airflow's object storage."""

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

PROVIDERS = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}
"""What brings the stores that are most used."""


def place(target: Target, below: str = "") -> Destination:
    """The place that a target stands for, or that of a relative path below it.

    Raises:
        ArtifactError: If Airflow knows no such store, or cannot open it.
    """
    path = object_path(target)
    if path is None:
        return LocalDestination(Path(str(target)) / below)
    if path.protocol in {"file", "local"}:
        return LocalDestination(Path(path.path) / below)
    with _told(str(target)):
        conn_id = path.storage_options.get("conn_id") or getattr(
            path, "conn_id", None
        )  # the first: Airflow 3.1
        signed = f"{path.protocol}://{conn_id}@" if conn_id else f"{path.protocol}://"
        return StoredDestination(path.fs, "/".join(filter(None, (path.path.rstrip("/"), below))), signed)


def object_path(target: Target, conn_id: str | None = None) -> ObjectStoragePath | None:
    """The `ObjectStoragePath` that a target is, or that its URL stands for; None for a plain path.

    Raises:
        ArtifactError: If there is no such kind of store.
    """
    if hasattr(type(target), "fs"):  # asking the path itself would open its store
        return cast("ObjectStoragePath", target)
    url = str(target)
    if "://" not in url:
        return None
    from airflow.sdk import ObjectStoragePath

    with _told(url):  # Airflow 3.1 takes a None for the connection, whatever the URL says
        return ObjectStoragePath(url, conn_id=conn_id) if conn_id else ObjectStoragePath(url)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Say what is missing: Airflow and each store's library have errors of their own."""
    try:
        yield
    except Exception as error:
        provider = PROVIDERS.get(url.partition("://")[0])
        raise ArtifactError(
            f"Nothing can be written to {url}",
            why=str(error),
            fix=f"Install {provider}, and check the connection" if provider else "Check URL and connection",
        ) from error


def joined(folder: Target | None, name: str, conn_id: str | None = None) -> Target:
    """The target of that name below a folder, or by itself where there is none, with its connection."""
    if folder is None:
        return object_path(name, conn_id) or name
    path = object_path(folder, conn_id)
    return Path(str(folder)) / name if path is None else path / name


class StoredDestination:
    """A name in an object store.

    It is written under another name beside it and moved. Stores that cannot move copy within themselves.

    Args:
        fs: The store, as fsspec has it.
        path: The name, with its bucket.
        start: What its URL begins with, connection included, so that `ObjectStoragePath` takes it.
    """

    def __init__(self, fs: Any, path: str, start: str) -> None:
        self._fs, self._path, self._start = fs, path, start
        self._opened = False

    def __str__(self) -> str:
        return self._start + self._path.lstrip("/")

    @cached_property
    def _part(self) -> str:
        return f"{self._path.rpartition('/')[0]}/{LocalDestination.temporary_name()}"

    def open(self) -> IO[bytes]:
        """See `Destination`; folders are made only where the store has any."""
        self._opened = True
        try:
            file: IO[bytes] = self._fs.open(self._part, "wb")
        except FileNotFoundError:
            self._fs.makedirs(self._path.rpartition("/")[0], exist_ok=True)
            file = self._fs.open(self._part, "wb")
        return file

    def publish(self) -> None:
        """See `Destination`; a copy is whole, also where its source may not be removed then."""
        if self._copies:
            self._fs.cp_file(self._part, self._path)
        else:
            self._fs.mv(self._part, self._path)
            self._opened = False

    @property
    def _copies(self) -> bool:
        """Whether the store has no move of its own: fsspec's would take `[` in a name for a pattern's."""
        return bool(type(self._fs).mv.__module__ == "fsspec.spec")

    def discard(self) -> None:
        """See `Destination`."""
        if self._opened:
            with suppress(FileNotFoundError):
                self._fs.rm_file(self._part)
            self._opened = False

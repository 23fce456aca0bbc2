"""Where a download lands: under another name first, and under its own when it is whole."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, Self

from dbtcloud.client.downloads.json_completeness import JsonCompleteness
from dbtcloud.client.errors import ArtifactError, DbtCloudError, MalformedResponse

log = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Destination(Protocol):
    """A name under which something is kept; `str` tells it to people."""

    def open(self) -> IO[bytes]:
        """An empty file under another name beside it; what an earlier call opened is closed by now."""

    def publish(self) -> None:
        """Let that file, which is closed, take the place of what is there."""

    def discard(self) -> None:
        """Remove that file, which is closed, unless it was published."""


class LocalDestination:
    """A path on this machine; folders that are missing are made, and a symbolic link is followed.

    Args:
        path: Relative paths are relative to the working directory.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._part: Path | None = None

    def __str__(self) -> str:
        return self._path

    def open(self) -> IO[bytes]:
        """See `Destination`; what is there and no file, such as a device, is never replaced."""
        target = Path(os.path.realpath(self._path))
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, "There is something that is no file", str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        self._part = self._part or target.with_name(part_name())
        return self._part.open("wb")

    def publish(self) -> None:
        """See `Destination`."""
        if self._part is not None:
            self._part.replace(os.path.realpath(self._path))
            self._part = None

    def discard(self) -> None:
        """See `Destination`."""
        if self._part is not None:
            self._part.unlink(missing_ok=True)
            self._part = None


def part_name() -> str:
    """A name for what is not whole yet: hidden, and short, since the final one may be a name's longest."""
    return f".dbt-cloud-{secrets.token_hex(6)}.part"


class AtomicDownload:
    """Takes an artifact's bytes and publishes them when all have come; a context manager.

    Leaving the block in any way leaves nothing but the whole artifact or what was there before.

    Args:
        place: Where it goes.
        what: What it is, such as "Artifact 'manifest.json' of run 7".
        is_json: Whether it has to be JSON. Checked is how it begins and ends: that tells a web page and a cut
            file, and needs no second reading of hundreds of megabytes. Where nothing tells that the answer is
            whole, it is also checked that all that was opened in it is closed.
        watch: Told of the number of bytes each time that some have come, and of 0 when an attempt begins;
            what it raises ends the download.

    Raises:
        ArtifactError: If it cannot be written.
        MalformedResponse: If it has to be JSON and is none.
    """

    def __init__(
        self,
        place: Destination,
        what: str = "The artifact",
        *,
        is_json: bool = False,
        watch: Callable[[int], object] = bool,
    ) -> None:
        self.place = place
        self._what, self._watch = what, watch
        self._outline = JsonCompleteness() if is_json else None
        self._file: IO[bytes] | None = None
        self._left = False
        self._lock = threading.Lock()

    def begin(self, *, tells_its_end: bool = True) -> None:
        """Begin with nothing; see `Sink`."""
        self._watch(0)
        with self._lock, self._told():
            self._close()
            self._check()
            self._file = self.place.open()
            if self._outline is not None:
                self._outline = JsonCompleteness(nesting=not tells_its_end)

    def write(self, chunk: bytes) -> None:
        """Take some bytes."""
        with self._told():
            self._check()
            assert self._file is not None
            self._file.write(chunk)
        if self._outline is not None:
            self._outline.see(chunk)
        self._watch(len(chunk))

    def end(self) -> None:
        """Publish what has come."""
        if self._outline is not None and (fault := self._outline.fault()):
            raise MalformedResponse(
                f"{self._what} is not JSON", why=fault, fix="Try again; if it stays, look at it in dbt Cloud"
            )
        with self._lock, self._told():
            self._check()
            self._close()
            self.place.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._left = True
            with suppress(Exception):
                self._close()
            try:
                self.place.discard()
            except Exception as error:  # noqa: BLE001 -- it must not stand in for what went wrong before
                log.warning("A temporary file beside %s could not be removed: %s", self.place, error)

    def _check(self) -> None:
        if self._left:
            raise RuntimeError("The download was given up")

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our own words what a file system or a store answers; each has errors of its own."""
        try:
            yield
        except DbtCloudError:
            raise
        except Exception as error:
            raise ArtifactError(
                f"{self._what} could not be written to {self.place}, where nothing has changed",
                why=getattr(error, "strerror", None) or f"{error}" or type(error).__name__,
                fix=_remedy(error),
            ) from error


def _remedy(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in FULL:
        return "Make room there, or write to another place"
    if number in REFUSED or isinstance(error, PermissionError):
        return "Let the worker's user write there, or write to another place"
    return "Check that the place exists and can be written to"

"""Write a download to a temporary file, and move it to its destination when it is complete."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, Self

from dbtcloud.client.errors import ArtifactError, DbtCloudError, MalformedResponse

log = logging.getLogger(__name__)

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")


class Destination(Protocol):
    """A place for one file. Its `str` is shown to users."""

    def open(self) -> IO[bytes]:
        """Open an empty temporary file beside the destination. An earlier one is closed by now."""

    def publish(self) -> None:
        """Move the temporary file, which is closed, to the destination."""

    def discard(self) -> None:
        """Remove the temporary file, which is closed, unless it was published."""


class LocalDestination:
    """A path on this machine. Missing folders are created, and a symbolic link is followed.

    Args:
        path: The path; a relative one starts at the working directory.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._partial: Path | None = None

    def __str__(self) -> str:
        return self._path

    @staticmethod
    def temporary_name() -> str:
        """Return a name for a temporary file."""
        # Hidden, and short because the final name may have the full length that a file system allows.
        return f".dbt-cloud-{secrets.token_hex(6)}.part"

    def open(self) -> IO[bytes]:
        """Open the temporary file (see `Destination`).

        Raises:
            FileExistsError: If the path exists and is not a file, such as a device.
        """
        target = Path(os.path.realpath(self._path))
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, "The path exists and is not a file", str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        self._partial = self._partial or target.with_name(self.temporary_name())
        return self._partial.open("wb")

    def publish(self) -> None:
        """Move the temporary file to the path (see `Destination`)."""
        if self._partial is not None:
            self._partial.replace(os.path.realpath(self._path))
            self._partial = None

    def discard(self) -> None:
        """Remove the temporary file (see `Destination`)."""
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)
            self._partial = None


class AtomicDownload:
    """A sink that writes an artifact to its destination when all bytes have arrived. A context manager.

    After the block, the destination has the whole artifact or what it had before, and nothing is beside it.

    Args:
        destination: Where the artifact goes.
        name: What it is called in messages, such as "Artifact 'manifest.json' of run 7".
        is_json: Whether it must be JSON. Its first and last byte are checked: that detects a web page and a
            cut file without parsing hundreds of megabytes. If nothing else shows the end of the response, all
            braces and brackets must be closed as well.
        on_progress: Called with the number of bytes that have arrived since the last call, and with 0 at the
            start of an attempt. An error that it raises ends the download.

    Raises:
        ArtifactError: If it cannot be written.
        MalformedResponse: If it must be JSON and is not.
    """

    def __init__(
        self,
        destination: Destination,
        name: str = "The artifact",
        *,
        is_json: bool = False,
        on_progress: Callable[[int], object] = bool,
    ) -> None:
        self.destination = destination
        self._name, self._on_progress = name, on_progress
        self._json_check = _JsonCompleteness() if is_json else None
        self._file: IO[bytes] | None = None
        # On an event loop a thread may still write while the block is left, as when the task is cancelled.
        self._is_closed = False
        self._lock = threading.Lock()

    def begin(self, *, has_known_end: bool = True) -> None:
        """Start with an empty temporary file (see `Sink`)."""
        self._on_progress(0)
        with self._lock, self._translated_errors():
            self._close_file()
            self._check_open()
            self._file = self.destination.open()
            if self._json_check is not None:
                self._json_check = _JsonCompleteness(nesting=not has_known_end)

    def write(self, chunk: bytes) -> None:
        """Write the next bytes (see `Sink`)."""
        with self._translated_errors():
            self._check_open()
            assert self._file is not None
            self._file.write(chunk)
        if self._json_check is not None:
            self._json_check.add(chunk)
        self._on_progress(len(chunk))

    def end(self) -> None:
        """Publish the artifact (see `Sink`)."""
        if self._json_check is not None and (fault := self._json_check.fault()):
            raise MalformedResponse(
                f"{self._name} is not JSON",
                why=fault,
                fix="Try again; if this persists, open it in dbt Cloud",
            )
        with self._lock, self._translated_errors():
            self._check_open()
            self._close_file()
            self.destination.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._is_closed = True
            with suppress(Exception):
                self._close_file()
            try:
                self.destination.discard()
            except Exception as error:  # noqa: BLE001 -- it must not replace an earlier error
                log.warning("Could not remove a temporary file beside %s: %s", self.destination, error)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("The download was aborted")

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise ArtifactError for the errors of file systems and object stores, each of which has its own."""
        try:
            yield
        except DbtCloudError:
            raise
        except Exception as error:
            raise ArtifactError(
                f"{self._name} could not be written to {self.destination}; nothing was changed there",
                why=getattr(error, "strerror", None) or f"{error}" or type(error).__name__,
                fix=_remedy(error),
            ) from error


def _remedy(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in _NO_SPACE:
        return "Free some space there, or write to another destination"
    if number in _NO_PERMISSION or isinstance(error, PermissionError):
        return "Allow the worker's user to write there, or write to another destination"
    return "Check that the destination exists and can be written to"


class _JsonCompleteness:
    """A check of JSON text that arrives in chunks: its first and its last byte must fit together.

    Args:
        nesting: Whether every brace and bracket must be closed, too. That takes some seconds for a GiB, so it
            is only for text whose end nothing else shows.
    """

    __slots__ = ("_first", "_last", "_nesting")

    def __init__(self, *, nesting: bool = False) -> None:
        self._first = self._last = b""
        self._nesting = _Nesting() if nesting else None

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._first = self._first or chunk.lstrip()[:1]
        # Stripping copies, so look for the last byte in a short piece first.
        self._last = chunk[-64:].rstrip()[-1:] or chunk.rstrip()[-1:] or self._last
        if self._nesting is not None:
            self._nesting.add(chunk)

    def fault(self) -> str | None:
        """Return why the text is not a JSON object or list, or None if it seems to be one."""
        if not self._first:
            return "It is empty"
        if self._first == b"<":
            return "It is a web page (HTML), perhaps from a login page or a proxy"
        if self._first not in _OPENING:
            return "It does not begin with { or ["
        if (self._first, self._last) not in zip(_OPENING, _CLOSING, strict=True):
            return "It is incomplete"
        return "It is incomplete" if self._nesting is not None and self._nesting.is_open else None


class _Nesting:
    """The number of open braces and brackets. A parser would be slower and refuse NaN."""

    __slots__ = ("_backslash", "_depth", "_in_string")

    def __init__(self) -> None:
        self._depth, self._in_string, self._backslash = 0, False, b""

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        text = _ESCAPED.sub(b"", self._backslash + chunk)
        self._backslash = b"\\" if text.endswith(b"\\") else b""  # the character that it escapes comes next
        parts = text.split(b'"')
        outside_strings = b"".join(parts[self._in_string :: 2])
        self._depth += sum(map(outside_strings.count, _OPENING)) - sum(map(outside_strings.count, _CLOSING))
        self._in_string ^= len(parts) % 2 == 0

    @property
    def is_open(self) -> bool:
        """True if a string, an object or a list has not ended."""
        return self._in_string or self._depth != 0

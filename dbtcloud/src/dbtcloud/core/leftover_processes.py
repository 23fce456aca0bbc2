"""Processes that a killed server left running: recorded in files, and ended by the next server."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_END_SECONDS = 5.0
_SAME_START_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """The id of a process, and its start time in seconds since 1970.

    The start time distinguishes it from a later process with the same id.
    """

    pid: int
    started: float

    @classmethod
    def of_pid(cls, pid: int) -> "ProcessRecord | None":
        """Return the record of a running process, or None if it has ended."""
        import psutil

        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def find(self) -> "psutil.Process | None":
        """Return the process if it is still running."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


@dataclass(frozen=True, slots=True)
class ProcessFolder:
    """A folder with a record of each process that a server runs.

    Attributes:
        path: The folder. It is created for the first record.
    """

    path: Path

    @contextmanager
    def record(self, pid: int) -> Iterator[None]:
        """Keep a record of a process while the context is open."""
        file = self.path / f"{pid}.json"
        process = ProcessRecord.of_pid(pid)
        if process is not None:
            self.path.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(asdict(process)), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    def end_processes(self) -> list[int]:
        """End each process that has a record, with its group, and return their ids.

        If a process has ended, or another process has its id now, only the record is deleted.
        """
        ended = []
        for file in sorted(self.path.glob("*.json")):
            process = _read(file)
            if process is not None and _end(process):
                ended.append(process.pid)
            file.unlink(missing_ok=True)
        return ended


def _read(file: Path) -> ProcessRecord | None:
    try:
        return ProcessRecord(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _end(record: ProcessRecord) -> bool:
    import psutil

    process = record.find()
    if process is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            # Without its own group, the process may share that of this server.
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            process.wait(_END_SECONDS)
        except psutil.TimeoutExpired:
            continue
        except (psutil.Error, ProcessLookupError):
            break
        else:
            break
    return True

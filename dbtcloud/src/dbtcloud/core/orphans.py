"""Processes that a killed server left behind: noted while they run, ended by who comes after."""

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

_PATIENCE_SECONDS = 5.0
_SAME_INSTANT = 0.05


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process that leads a group: its id, and when it started, in seconds since 1970.

    The instant tells it from a stranger that has got the same id since.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Recorded | None":
        """Look a process up; None when it is gone already."""
        import psutil

        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def found(self) -> "psutil.Process | None":
        """Return the process if it is still there and no stranger."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_INSTANT
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


@contextmanager
def recorded(folder: Path, pid: int) -> Iterator[None]:
    """Keep a note of a process in ``folder`` while it runs."""
    note = folder / f"{pid}.json"
    process = Recorded.of(pid)
    if process is not None:
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(asdict(process)), encoding="utf-8")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def end_all(folder: Path) -> list[int]:
    """End every process that has a note in ``folder``, with its group, and return their ids.

    A note whose process is gone, or whose id belongs to another process by now, is only thrown away.
    """
    ended = []
    for note in sorted(folder.glob("*.json")):
        process = _read(note)
        if process is not None and _end(process):
            ended.append(process.pid)
        note.unlink(missing_ok=True)
    return ended


def _read(note: Path) -> Recorded | None:
    try:
        return Recorded(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _end(recorded_process: Recorded) -> bool:
    import psutil

    process = recorded_process.found()
    if process is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            # Only a group that the process leads itself is its own.
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            process.wait(_PATIENCE_SECONDS)
        except psutil.TimeoutExpired:
            continue
        except (psutil.Error, ProcessLookupError):
            break
        else:
            break
    return True

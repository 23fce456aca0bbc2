"""The PID file of a server: its process and its URL, without its token."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dbtcloud.core.leftover_processes import ProcessRecord

_NAME = "server.json"


@dataclass(frozen=True, slots=True)
class PidFile:
    """The content of a PID file: process id, start of the process (seconds since 1970), and URL."""

    pid: int
    started: float
    url: str

    @property
    def process(self) -> ProcessRecord:
        """Return the process, which the start time tells from a later one with the same id."""
        return ProcessRecord(self.pid, self.started)


@contextmanager
def pid_file_in(folder: Path | None, pid: int, url: str) -> Iterator[None]:
    """Write a PID file for the duration of a block. A folder of None writes none."""
    process = ProcessRecord.of_pid(pid)
    if folder is None or process is None:
        yield
        return
    path = folder / _NAME
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(asdict(PidFile(pid, process.started, url))), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_pid_file(folder: Path) -> PidFile | None:
    """Return the PID file of a server that is running, or None. A killed server leaves its file behind."""
    try:
        content = PidFile(**json.loads((folder / _NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return content if content.process.find() is not None else None

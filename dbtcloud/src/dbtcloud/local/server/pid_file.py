"""The note that a server leaves in its folder: its process and its address, without its token."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dbtcloud.core.orphans import Recorded

_FILE = "server.json"


@dataclass(frozen=True, slots=True)
class ServerNote:
    """A server: its process, when that started (seconds since 1970), and its address."""

    pid: int
    started: float
    url: str

    @property
    def process(self) -> Recorded:
        """The process, told from a stranger of the same id."""
        return Recorded(self.pid, self.started)


@contextmanager
def left_in(folder: Path | None, pid: int, url: str) -> Iterator[None]:
    """Leave the note while the block runs; None leaves none."""
    process = Recorded.of(pid)
    if folder is None or process is None:
        yield
        return
    path = folder / _FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(asdict(ServerNote(pid, process.started, url))), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def found_in(folder: Path) -> ServerNote | None:
    """Return the note of a server that still runs; one that a killed server has left is no news."""
    try:
        note = ServerNote(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return note if note.process.found() is not None else None

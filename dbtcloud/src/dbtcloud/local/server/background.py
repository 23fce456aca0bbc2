"""A server in the background: a process that outlives its starter, and is stopped by its PID file."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dbtcloud.core.leftover_processes import ProcessRecord
from dbtcloud.local.model.api_errors import LocalServerError

_PID_FILE = "server.json"
_LOG_FILE = "server.log"
_POLL_SECONDS = 0.05
_STOP_SECONDS = 60.0
_MAX_ERROR_LINES = 15


@dataclass(frozen=True, slots=True)
class PidFile:
    """The PID file of a server: its process id, the start of its process (seconds since 1970), and its URL.

    The file does not contain the token.
    """

    pid: int
    started: float
    url: str

    @property
    def process(self) -> ProcessRecord:
        """The process. The start time distinguishes it from a later one with the same id."""
        return ProcessRecord(self.pid, self.started)

    @classmethod
    def read(cls, folder: Path) -> "PidFile | None":
        """Return the PID file in a folder, or None if no server is running there."""
        try:
            content = cls(**json.loads((folder / _PID_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        # A killed server leaves its file behind.
        return content if content.process.find() is not None else None

    @classmethod
    @contextmanager
    def written(cls, folder: Path | None, pid: int, url: str) -> Iterator[None]:
        """Write the PID file while the context is open. If the folder is None, there is no file."""
        process = ProcessRecord.of_pid(pid)
        if folder is None or process is None:
            yield
            return
        path = folder / _PID_FILE
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps(asdict(cls(pid, process.started, url))), encoding="utf-8")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class BackgroundServer:
    """The server of one folder, started by `dbtcloud serve --background`.

    Attributes:
        folder: the folder of the PID file and the log file.
    """

    folder: Path

    @property
    def log_file(self) -> Path:
        """The output of the server."""
        return self.folder / _LOG_FILE

    def start(self, arguments: Sequence[str], variables: Mapping[str, str], seconds: float) -> PidFile:
        """Start the server and return its PID file once it answers.

        Args:
            arguments: the arguments of `dbtcloud`. The server must write its PID file into the folder.
            variables: environment variables to add. The token is one of them, because other users can see
                the arguments of a process.
            seconds: how long the start may take, including the installation of dbt.

        Raises:
            LocalServerError: A server is already running there, or the new one failed or took too long.
        """
        if running := PidFile.read(self.folder):
            raise LocalServerError(
                f"A local dbt Cloud is already running on {running.url} (process {running.pid}) with the"
                f" folder {self.folder}. Use that one, or stop it with --stop first."
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "dbtcloud.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
                # Ctrl-C in the terminal must not reach the server.
                start_new_session=True,
            )
        try:
            return self._wait_until_ready(process, time.monotonic() + seconds)
        except KeyboardInterrupt:
            process.terminate()
            raise

    def stop(self) -> PidFile:
        """Stop the server, wait for its end, and return its PID file.

        Raises:
            LocalServerError: There is no server, or it does not stop.
        """
        import psutil

        pid_file = PidFile.read(self.folder)
        process = None if pid_file is None else pid_file.process.find()
        if pid_file is None or process is None:
            raise LocalServerError(
                f"No local dbt Cloud is running with the folder {self.folder}."
                " Give --stop the same --data-dir, --memory or project options as at the start."
            )
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired as error:
            raise LocalServerError(
                f"The local dbt Cloud (process {pid_file.pid}) did not stop within {_STOP_SECONDS:.0f}"
                f" seconds. See its log file {self.log_file}, or run 'kill -9 {pid_file.pid}'."
            ) from error
        return pid_file

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", deadline: float) -> PidFile:
        while time.monotonic() < deadline:
            pid_file = PidFile.read(self.folder)
            if pid_file is not None and pid_file.pid == process.pid and _answers(pid_file.url):
                return pid_file
            if process.poll() is not None:
                raise LocalServerError(self._error_in_log())
            time.sleep(_POLL_SECONDS)
        process.terminate()
        raise LocalServerError(
            f"The local dbt Cloud did not start in time and was stopped. See its log file {self.log_file}."
        )

    def _error_in_log(self) -> str:
        text = self.log_file.read_text(encoding="utf-8", errors="replace").rstrip()
        # The command prints "dbtcloud: " before its error, which is the last thing it prints.
        lines = text.rpartition("dbtcloud: ")[2].splitlines()[-_MAX_ERROR_LINES:]
        return "\n".join(lines) or "The local dbt Cloud ended during its start, without an error message."


def _answers(url: str) -> bool:
    # A proxy of the environment may not reach the addresses of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _any_certificate())
    try:
        with opener.open(f"{url}/_local/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # On other hosts than loopback it requires a token, but it answers.
    except OSError:
        return False


def _any_certificate() -> urllib.request.HTTPSHandler:
    # No token is sent, so any certificate will do.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.HTTPSHandler(context=context)

"""A server in the background: a process that outlives its starter, and is stopped by its PID file."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from dbtcloud.core.leftover_processes import ProcessRecord
from dbtcloud.core.private_files import open_private, private_file
from dbtcloud.local.model.api_errors import LocalServerError

ANNOUNCEMENT = "The local dbt Cloud is running on"
"""The beginning of the first line that a server prints once it answers."""

_PID_FILE = "server.json"
_LOG_FILE = "server.log"
_POLL_SECONDS = 0.05
_STOP_SECONDS = 60.0
_MAX_ERROR_LINES = 15
_ERROR = "dbtcloud: "


@dataclass(frozen=True, slots=True)
class PidFile:
    """The PID file of a server.

    Attributes:
        pid: its process id.
        started: the start of its process, in seconds since 1970.
        url: its URL.
        control_token_file: the file with the token of its control plane. The PID file contains no token.
    """

    pid: int
    started: float
    url: str
    control_token_file: str = ""

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
    def written(cls, folder: Path | None, pid: int, url: str, control_token_file: Path) -> Iterator[None]:
        """Write the PID file while the context is open. If the folder is None, there is no file."""
        process = ProcessRecord.of_pid(pid)
        if folder is None or process is None:
            yield
            return
        content = cls(pid, process.started, url, str(control_token_file))
        with private_file(folder / _PID_FILE, json.dumps(asdict(content))):
            yield

    def page_link(self) -> str:
        """Return a new link that opens the pages in one browser.

        Raises:
            LocalServerError: The server does not answer, or is another one than that of the file.
        """
        try:
            token = Path(self.control_token_file).read_text(encoding="utf-8")
            request = urllib.request.Request(  # noqa: S310 - the URL of our own server
                f"{self.url}/_local/page_link/", b"{}", {"Authorization": f"Token {token}"}
            )
            with _opener().open(request, timeout=5) as response:
                return str(json.load(response)["url"])
        except (OSError, ValueError) as error:
            raise LocalServerError(
                f"The local dbt Cloud on {self.url} gave no link to its pages: {error}."
                " Stop it with --stop, and start it again."
            ) from error


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

    def start(
        self,
        arguments: Sequence[str],
        variables: Mapping[str, str],
        seconds: float,
        progress: Callable[[str], None],
    ) -> PidFile:
        """Start the server and return its PID file once it answers.

        Args:
            arguments: the arguments of `dbtcloud`. The server must write its PID file into the folder.
            variables: environment variables to add. The token is one of them, because other users can see
                the arguments of a process.
            seconds: how long the start may take, including the installation of dbt.
            progress: receives each line that the server prints before it answers, such as hints.

        Raises:
            LocalServerError: A server is already running there, or the new one failed or took too long.
        """
        if running := PidFile.read(self.folder):
            raise LocalServerError(
                f"A local dbt Cloud is already running on {running.url} (process {running.pid}) with the"
                f" folder {self.folder}. Use that one, or stop it with --stop first."
            )
        with open_private(self.log_file) as log:
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
            with self.log_file.open(encoding="utf-8", errors="replace") as printed:
                follower = _StartLog(printed, progress)
                return self._wait_until_ready(process, time.monotonic() + seconds, follower)
        except KeyboardInterrupt:
            process.terminate()
            raise

    def pid_file(self) -> PidFile:
        """Return the PID file of the running server.

        Raises:
            LocalServerError: No server is running.
        """
        pid_file = PidFile.read(self.folder)
        if pid_file is None:
            raise self._not_running()
        return pid_file

    def stop(self) -> PidFile:
        """Stop the server, wait for its end, and return its PID file.

        Raises:
            LocalServerError: No server is running, or it does not stop.
        """
        import psutil

        pid_file = self.pid_file()
        process = pid_file.process.find()
        if process is None:
            raise self._not_running()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired as error:
            raise LocalServerError(
                f"The local dbt Cloud (process {pid_file.pid}) did not stop within {_STOP_SECONDS:.0f}"
                f" seconds. See its log file {self.log_file}, or run 'kill -9 {pid_file.pid}'."
            ) from error
        return pid_file

    def _not_running(self) -> LocalServerError:
        return LocalServerError(
            f"No local dbt Cloud is running with the folder {self.folder}."
            " Give the same --data-dir, --memory or project options as at the start."
        )

    def _wait_until_ready(
        self, process: "subprocess.Popen[bytes]", deadline: float, log: "_StartLog"
    ) -> PidFile:
        while time.monotonic() < deadline:
            pid_file = PidFile.read(self.folder)
            is_ready = pid_file is not None and pid_file.pid == process.pid and _answers(pid_file.url)
            has_ended = process.poll() is not None
            log.report_new_lines()
            if is_ready and pid_file is not None:
                return pid_file
            if has_ended:
                raise LocalServerError(self._error_in_log())
            time.sleep(_POLL_SECONDS)
        process.terminate()
        raise LocalServerError(
            f"The local dbt Cloud did not start in time and was stopped. See its log file {self.log_file}."
        )

    def _error_in_log(self) -> str:
        text = self.log_file.read_text(encoding="utf-8", errors="replace").rstrip()
        # The command prints "dbtcloud: " before its error, which is the last thing it prints.
        lines = text.rpartition(_ERROR)[2].splitlines()[-_MAX_ERROR_LINES:]
        return "\n".join(lines) or "The local dbt Cloud ended during its start, without an error message."


class _StartLog:
    """Reports what a server prints until it answers or fails.

    Args:
        printed: its log file.
        progress: receives each line.
    """

    def __init__(self, printed: TextIO, progress: Callable[[str], None]) -> None:
        self._printed, self._progress = printed, progress
        self._incomplete, self._has_ended = "", False

    def report_new_lines(self) -> None:
        """Report the lines that were printed since the last call."""
        *lines, self._incomplete = (self._incomplete + self._printed.read()).split("\n")
        for line in lines:
            self._has_ended = self._has_ended or line.startswith((ANNOUNCEMENT, _ERROR))
            if not self._has_ended:
                self._progress(line)


def _answers(url: str) -> bool:
    try:
        with _opener().open(f"{url}/_local/health", timeout=5):
            return True
    except OSError:
        return False


def _opener() -> urllib.request.OpenerDirector:
    # A proxy of the environment may not reach the addresses of this machine. Any certificate will do: the
    # PID file has the address.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    no_proxies = urllib.request.ProxyHandler({})
    return urllib.request.build_opener(no_proxies, urllib.request.HTTPSHandler(context=context))

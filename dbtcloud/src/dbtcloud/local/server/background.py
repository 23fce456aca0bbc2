"""A server in the background: a process that outlives its starter, and is stopped by its PID file."""

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.server.pid_file import PidFile, read_pid_file

_LOG = "server.log"
_POLL_SECONDS = 0.05
_STOP_SECONDS = 60.0
_MAX_ERROR_LINES = 15


def log_file(folder: Path) -> Path:
    """Return the log file of a background server."""
    return folder / _LOG


def start_server(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str], seconds: float
) -> PidFile:
    """Start `dbtcloud` with some arguments and return once its server answers.

    Args:
        arguments: the command's arguments; its server writes its PID file into `folder`.
        folder: the folder of the PID file and the log.
        variables: further environment variables, such as the token, which must not be in a list of processes.
        seconds: how long the start may take, including the installation of dbt.

    Raises:
        LocalServerError: A server runs there already, or the new one failed or took too long.
    """
    if running := read_pid_file(folder):
        raise LocalServerError(
            f"A local dbt Cloud already serves {folder} on {running.url} (process {running.pid})."
            " Use that one, or stop it with --stop first."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log_file(folder).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "dbtcloud.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
            start_new_session=True,
        )
    try:
        return _wait_until_ready(process, folder, time.monotonic() + seconds)
    except KeyboardInterrupt:
        process.terminate()
        raise


def stop_server(folder: Path) -> PidFile:
    """Stop the server of a folder, wait for its end, and return its PID file.

    Raises:
        LocalServerError: There is no server, or it does not stop.
    """
    import psutil

    pid_file = read_pid_file(folder)
    process = None if pid_file is None else pid_file.process.find()
    if pid_file is None or process is None:
        raise LocalServerError(
            f"No local dbt Cloud serves {folder}."
            " Give --stop the same options as at the start: they say which server to stop."
        )
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired as error:
        raise LocalServerError(
            f"The local dbt Cloud (process {pid_file.pid}) did not stop within {_STOP_SECONDS:.0f} seconds."
            f" See its log {log_file(folder)}, or run 'kill -9 {pid_file.pid}'."
        ) from error
    return pid_file


def _wait_until_ready(process: "subprocess.Popen[bytes]", folder: Path, deadline: float) -> PidFile:
    while time.monotonic() < deadline:
        pid_file = read_pid_file(folder)
        if pid_file is not None and pid_file.pid == process.pid and _answers(pid_file.url):
            return pid_file
        if process.poll() is not None:
            raise LocalServerError(_error_in_log(folder))
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise LocalServerError(
        f"The local dbt Cloud did not start in time and was stopped. See its log {log_file(folder)}."
    )


def _answers(url: str) -> bool:
    # A proxy in the environment would not reach this machine's own addresses.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _any_certificate())
    try:
        with opener.open(f"{url}/_local/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # off loopback it asks for a token, so it answers
    except OSError:
        return False


def _any_certificate() -> urllib.request.HTTPSHandler:
    # No token is sent, and this process need not know the authority behind the server's certificate.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.HTTPSHandler(context=context)


def _error_in_log(folder: Path) -> str:
    text = log_file(folder).read_text(encoding="utf-8", errors="replace").rstrip()
    # The command prints "dbtcloud: " before its error, which is the last thing it prints.
    lines = text.rpartition("dbtcloud: ")[2].splitlines()[-_MAX_ERROR_LINES:]
    return "\n".join(lines) or "The local dbt Cloud stopped before it answered, without an error message."

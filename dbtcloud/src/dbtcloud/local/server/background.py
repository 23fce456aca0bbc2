"""A server in a process of its own: started so that it outlives its starter, and ended by its note."""

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
from dbtcloud.local.server.pid_file import ServerNote, found_in

_LOG = "server.log"
_LOOKS_A_SECOND = 20
_STOP_SECONDS = 60.0
_SHOWN_LINES = 15


def log_of(folder: Path) -> Path:
    """The file that a background server writes to."""
    return folder / _LOG


def start(arguments: Sequence[str], folder: Path, variables: Mapping[str, str], seconds: float) -> ServerNote:
    """Start `airflow-dbt-cloud` with these arguments and return once it serves.

    Args:
        arguments: the command's arguments, of a server that leaves its note in `folder`.
        folder: where its note and its log are.
        variables: environment variables that it gets beside ours; a token travels here, which no list of
            processes shows.
        seconds: how long it may take to serve; making dbt's environment is part of that.

    Raises:
        LocalServerError: one runs there already, or it ended before it served, or took too long.
    """
    if running := found_in(folder):
        raise LocalServerError(
            f"A local dbt Cloud serves {folder} already, on {running.url} (process {running.pid})."
            " Use that one, or end it with --stop first."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log_of(folder).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "dbtcloud.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
            start_new_session=True,
        )
    try:
        return _once_it_serves(process, folder, time.monotonic() + seconds)
    except KeyboardInterrupt:
        process.terminate()
        raise


def stop(folder: Path) -> ServerNote:
    """End the server that serves a folder, wait for that, and return what it was.

    Raises:
        LocalServerError: none serves there, or it does not end.
    """
    import psutil

    note = found_in(folder)
    process = None if note is None else note.process.found()
    if note is None or process is None:
        raise LocalServerError(
            f"No local dbt Cloud serves {folder}, so that there is nothing to stop."
            " Give --stop the options that it was started with: they say which one is meant."
        )
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired as error:
        raise LocalServerError(
            f"The local dbt Cloud (process {note.pid}) has not ended within {_STOP_SECONDS:.0f} seconds."
            f" Its log {log_of(folder)} may say why; 'kill -9 {note.pid}' ends it by force."
        ) from error
    return note


def _once_it_serves(process: "subprocess.Popen[bytes]", folder: Path, deadline: float) -> ServerNote:
    while time.monotonic() < deadline:
        note = found_in(folder)
        if note is not None and note.pid == process.pid and _answers(note.url):
            return note
        if process.poll() is not None:
            raise LocalServerError(_last_words(folder))
        time.sleep(1 / _LOOKS_A_SECOND)
    process.terminate()
    raise LocalServerError(
        "The local dbt Cloud did not serve in time and was ended."
        f" Its log {log_of(folder)} says how far it came."
    )


def _answers(url: str) -> bool:
    # A proxy in the environment is not for this machine's own addresses.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _any_certificate())
    try:
        with opener.open(f"{url}/_local/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it serves other machines, and asks for the token
    except OSError:
        return False


def _any_certificate() -> urllib.request.HTTPSHandler:
    # The server is our own process, no token is sent, and its authority need not be known to this one.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.HTTPSHandler(context=context)


def _last_words(folder: Path) -> str:
    said = log_of(folder).read_text(encoding="utf-8", errors="replace").rstrip()
    # What it did before that is in the log; its error is its last message.
    told = said.rpartition("dbtcloud: ")[2].splitlines()[-_SHOWN_LINES:]
    return "\n".join(told) or "The local dbt Cloud ended before it served, and said nothing."

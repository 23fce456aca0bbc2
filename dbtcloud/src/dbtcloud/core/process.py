"""Run a child process in its own process group, stream its output, and stop it on request."""

import asyncio
import codecs
import math
import os
import re
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core.process_watcher import start_watched

# On SIGINT, dbt writes run_results.json for the nodes that have finished. SIGTERM and SIGKILL lose it.
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_CHECK_SECONDS = 0.1
_CREDENTIALS = re.compile(r"""(?<=://)[^/\s"]+@""")
# Clients of dbt Cloud keep their tokens in these variables.
_TOKEN_VARIABLES = re.compile(r"DBT_(CLOUD_|TOKEN|API_KEY|API_TOKEN|PAT$|SERVICE_TOKEN|ACCESS_TOKEN)")
_PASSED_VARIABLES = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


def minimal_environment(given: Mapping[str, str], passed: Collection[str] = ()) -> dict[str, str]:
    """Return the environment variables for a dbt process.

    Airflow's connections and keys do not reach dbt. Variables that begin with ``DBT_`` do, except those in
    which clients of dbt Cloud keep their tokens, such as ``DBT_CLOUD_…`` and ``DBT_TOKEN``.

    Args:
        given: Variables to set.
        passed: Names of other variables of this process to pass.
    """
    kept = {name: value for name, value in os.environ.items() if name in passed or _is_passed(name)}
    return {"LANG": "C.UTF-8", **kept, "PYTHONUNBUFFERED": "1", "DO_NOT_TRACK": "1", **given}


def _is_passed(name: str) -> bool:
    return name in _PASSED_VARIABLES or (name.startswith("DBT_") and not _TOKEN_VARIABLES.match(name))


@dataclass(frozen=True, slots=True)
class _StopTimes:
    """The times of stopping a process in seconds. `run_process` explains them."""

    grace: float
    final_file: Path | None
    final_file_grace: float
    repeat_after: float

    async def stop(self, process: asyncio.subprocess.Process, number: signal.Signals) -> bool:
        """Signal the process group, and return True if the process ends in time."""
        clock, ending = asyncio.get_running_loop().time, asyncio.ensure_future(process.wait())
        deadline, next_signal = clock() + self.grace, clock()
        while (left := deadline - clock()) > 0:
            if clock() >= next_signal:
                _signal_group(process, number)
                # Python misses a signal that arrives just when its main thread begins to wait for a lock,
                # as the main thread of dbt does.
                next_signal += self.repeat_after
            if (await asyncio.wait({ending}, timeout=min(left, _CHECK_SECONDS)))[0]:
                return True
            if next_signal < math.inf and self.final_file is not None and self.final_file.exists():
                deadline, next_signal = min(deadline, clock() + self.final_file_grace), math.inf
        return False


async def run_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Callable[[str], None],
    stop: asyncio.Event | None = None,
    grace: float = 10.0,
    final_file: Path | None = None,
    final_file_grace: float = 2.0,
    repeat_after: float = 3.0,
    started: Callable[[int], AbstractContextManager[object]] = nullcontext,
) -> int:
    """Run a process and return its exit code, which is negative for the signal that ended it.

    The process does not outlive this one, even if this one is killed.

    Args:
        argv: The program and its arguments, without a shell.
        cwd: The working folder.
        env: All environment variables of the process.
        output: Receives complete lines of standard output and error as they arrive.
        stop: When set, the process group gets SIGINT, after ``grace`` seconds SIGTERM, then SIGKILL.
        grace: Seconds that the process has to end after each signal.
        final_file: A file that the process writes before it ends.
        final_file_grace: Seconds that the process has to end after it wrote this file.
        repeat_after: Seconds after which a signal is repeated until this file exists.
        started: Receives the id of the process, and returns a context manager that is open while it runs.

    Raises:
        OSError: The program cannot be started.
    """
    times = _StopTimes(grace, final_file, final_file_grace, repeat_after)
    async with start_watched(argv, cwd=cwd, env=env) as process:
        stopping = asyncio.create_task(_stop_when_set(stop, process, times))
        try:
            with started(process.pid):
                await _relay(process, output)
                return await process.wait()
        finally:
            stopping.cancel()
            if process.returncode is None:
                _signal_group(process, signal.SIGKILL)
                await process.wait()


async def _relay(process: asyncio.subprocess.Process, output: Callable[[str], None]) -> None:
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    incomplete = ""
    while chunk := await process.stdout.read(65536):
        lines, end, incomplete = (incomplete + decoder.decode(chunk)).rpartition("\n")
        if end:
            output(lines + end)
    if rest := incomplete + decoder.decode(b"", final=True):
        output(rest)


async def _stop_when_set(
    stop: asyncio.Event | None, process: asyncio.subprocess.Process, times: _StopTimes
) -> None:
    if stop is None:
        return
    await stop.wait()
    for number in _STOP_SIGNALS:
        if await times.stop(process, number):
            return


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def mask_url_passwords(text: str) -> str:
    """Replace the credentials in all addresses, such as ``https://user:token@host``, with ``***``."""
    return _CREDENTIALS.sub("***@", text)

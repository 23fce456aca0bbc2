"""One child process in a group of its own: its output as it comes, and an end when it is asked for."""

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

Output = Callable[[str], None]

# dbt answers SIGINT by writing run_results.json for what was finished; SIGTERM and SIGKILL lose it.
_FAREWELLS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_LOOK_SECONDS = 0.1
_CLIENTS = re.compile(r"DBT_(CLOUD_|TOKEN|API_KEY|API_TOKEN|PAT$|SERVICE_TOKEN|ACCESS_TOKEN)")
_KEPT = (
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


def bare_environment(given: Mapping[str, str], passed: Collection[str] = ()) -> dict[str, str]:
    """The environment variables that a dbt process sees: a few harmless ones, dbt's own, and those given.

    Nothing of Airflow's (connections, keys) reaches dbt. Variables whose name begins with ``DBT_`` pass,
    except where dbt Cloud's clients keep their tokens, such as ``DBT_CLOUD_…`` and ``DBT_TOKEN``.

    Args:
        given: Variables that are set whatever this process has.
        passed: Names of further variables that pass.
    """
    kept = {name: value for name, value in os.environ.items() if name in passed or _is_harmless(name)}
    return {"LANG": "C.UTF-8", **kept, "PYTHONUNBUFFERED": "1", "DO_NOT_TRACK": "1", **given}


def _is_harmless(name: str) -> bool:
    return name in _KEPT or (name.startswith("DBT_") and not _CLIENTS.match(name))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process that is asked to end is waited for; see `run`."""

    grace: float
    keepsake: Path | None
    lingering: float
    again: float

    async def ends(self, process: asyncio.subprocess.Process, farewell: signal.Signals) -> bool:
        """Signal the process's group and wait; False if it is still there when patience is at its end."""
        clock, ending = asyncio.get_running_loop().time, asyncio.ensure_future(process.wait())
        deadline, asking = clock() + self.grace, clock()
        while (left := deadline - clock()) > 0:
            if clock() >= asking:
                _signal_group(process, farewell)
                asking += self.again
            if (await asyncio.wait({ending}, timeout=min(left, _LOOK_SECONDS)))[0]:
                return True
            if asking < math.inf and self.keepsake is not None and self.keepsake.exists():
                deadline, asking = min(deadline, clock() + self.lingering), math.inf
        return False


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Output,
    stop: asyncio.Event | None = None,
    grace: float = 10.0,
    keepsake: Path | None = None,
    lingering: float = 2.0,
    again: float = 3.0,
    started: Callable[[int], AbstractContextManager[object]] = nullcontext,
) -> int:
    """Run one process to its end and return its exit code (negative: the signal that ended it).

    Args:
        argv: The program and its arguments; no shell reads them.
        cwd: The folder it starts in.
        env: All environment variables it sees.
        output: Is called with lines of its standard output and error, one or more at a time, as they come.
        stop: When set, the process group gets SIGINT, after ``grace`` seconds SIGTERM, then SIGKILL.
        grace: Seconds that the process has for ending well.
        keepsake: A file that it writes as it ends.
        lingering: Seconds that are left to it once that file is there.
        again: Seconds after which a signal is repeated until that file is there. Python does not notice one
            that comes in the moment in which its main thread begins to wait for a lock, as dbt's does.
        started: Is given the id of the process, which is its group's too, and entered while it is there.

    Raises:
        OSError: The program cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    with started(process.pid):
        ending = asyncio.create_task(_end_when(stop, process, Patience(grace, keepsake, lingering, again)))
        try:
            await _relay(process, output)
            return await process.wait()
        finally:
            ending.cancel()
            if process.returncode is None:
                _signal_group(process, signal.SIGKILL)
                await process.wait()


async def _relay(process: asyncio.subprocess.Process, output: Output) -> None:
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    begun = ""
    while piece := await process.stdout.read(65536):
        whole, end, begun = (begun + decoder.decode(piece)).rpartition("\n")
        if end:
            output(whole + end)
    if rest := begun + decoder.decode(b"", final=True):
        output(rest)


async def _end_when(
    stop: asyncio.Event | None, process: asyncio.subprocess.Process, patience: Patience
) -> None:
    if stop is None:
        return
    await stop.wait()
    for farewell in _FAREWELLS:
        if await patience.ends(process, farewell):
            return


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return

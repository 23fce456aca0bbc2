"""Child processes of a process that dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dbtcloud.core import process
from served import wait_for

# Runs a child that has a child of its own, and prints their ids. `{extra}` runs while they run.
PARENT = """
import asyncio, os, pathlib, subprocess, sys
from dbtcloud.core import process

CHILD = (
    "import subprocess, time; child = subprocess.Popen(['sleep', '60']);"
    "print(child.pid, flush=True); time.sleep(60)"
)

def started(pid):
    print(pid, flush=True)
    return __import__("contextlib").nullcontext()

def output(text):
    sys.stdout.write(text)
    sys.stdout.flush()
    {extra}

asyncio.run(process.run_process(
    [sys.executable, "-c", CHILD], cwd=pathlib.Path("/"), env=dict(os.environ), output=output, started=started
))
"""
FORK = "os.fork() or (print('forked', os.getpid(), flush=True), os.close(1), __import__('time').sleep(60))"


def start(extra: str = "pass") -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A parent, and the processes whose ids it has printed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(extra=extra)], stdout=subprocess.PIPE, text=True
    )
    return parent, [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]


def is_gone(child: psutil.Process) -> bool:
    return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def watchers_of(parent: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children() if "read -r group" in _command_line(child)]


def _command_line(process: psutil.Process) -> str:
    try:
        return str(process.cmdline())
    except psutil.NoSuchProcess:  # a child of another test that has just ended
        return ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_a_parent_that_is_killed(number):
    parent, children = start()
    (watcher,) = watchers_of(parent.pid)
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()

    wait_for(lambda: all(map(is_gone, [*children, watcher])), seconds=10)


def test_a_forked_process_does_not_keep_the_children_alive():
    parent, children = start(FORK)
    forked = psutil.Process(int(parent.stdout.readline().split()[1]))
    try:
        parent.kill()
        parent.wait()
        wait_for(lambda: all(map(is_gone, children)), seconds=10)
        assert not is_gone(forked)
    finally:
        forked.kill()
        parent.stdout.close()


async def test_the_watcher_ends_with_the_process(tmp_path: Path):
    seen = []

    def output(_: str) -> None:
        seen.extend(watchers_of(os.getpid()))

    argv = [sys.executable, "-c", "print('done')"]
    code = await process.run_process(argv, cwd=tmp_path, env=process.minimal_environment({}), output=output)

    assert code == 0
    assert len(seen) == 1
    assert not watchers_of(os.getpid())


async def test_a_process_whose_record_cannot_be_written_is_ended(tmp_path: Path):
    pids = []

    def started(pid: int):
        pids.append(pid)
        raise OSError("No space left on device")

    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(OSError, match="No space left"):
        await process.run_process(
            argv, cwd=tmp_path, env=process.minimal_environment({}), output=print, started=started
        )

    assert not psutil.pid_exists(pids[0])

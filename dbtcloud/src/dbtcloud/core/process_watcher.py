"""A watcher that ends a child process when this process dies, also when it is killed."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_SHELL = "/bin/sh"
# The child waits for a line, which comes once the watcher knows its process group. If this process dies
# before that, the read fails and the program never starts.
_START_ON_LINE = 'read -r _ || exit 1; exec "$@" </dev/null'
# Standard input is a pipe whose other end only this process has. The system closes it, however this process
# ends. The first line is the process group of the child, the second says that the child has ended.
_WATCH = """
read -r group && [ -n "$group" ] || exit 0
read -r _ && exit 0
kill -s TERM -- "-$group"
for _ in 1 2 3 4 5; do kill -s 0 -- "-$group" || exit 0; sleep 1; done
kill -s KILL -- "-$group"
"""
# The ends of the pipes that this process has.
_pipes: set[int] = set()


@asynccontextmanager
async def start_watched(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program that does not outlive this process, and end its watcher when the context ends.

    The program leads its own process group and session. If this process dies while the context is open, the
    group gets SIGTERM, and after five seconds SIGKILL.

    Args:
        argv: The program and its arguments, without a shell.
        cwd: The working folder.
        env: All environment variables of the program.

    Raises:
        OSError: The program does not exist, or no process can be started.
    """
    _check_program(argv[0], cwd, env)
    read_end, write_end = os.pipe()
    _pipes.add(write_end)
    try:
        watcher = await _start_watcher(read_end)
        try:
            yield await _start(argv, cwd, env, write_end)
        finally:
            with suppress(BrokenPipeError):
                os.write(write_end, b"\n")
            await watcher.wait()
    finally:
        _pipes.discard(write_end)
        os.close(write_end)


async def _start_watcher(read_end: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            _SHELL,
            "-c",
            _WATCH,
            cwd="/",
            stdin=read_end,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # A signal to the group of this process must not end the watcher.
            start_new_session=True,
        )
    finally:
        os.close(read_end)


async def _start(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], write_end: int
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        _SHELL,
        "-c",
        _START_ON_LINE,
        "sh",
        *argv,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    os.write(write_end, b"%d\n" % process.pid)
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()
    return process


def _check_program(program: str, cwd: Path, env: Mapping[str, str]) -> None:
    # The shell would report it in the output of the program.
    if not cwd.is_dir() or shutil.which(program, path=env.get("PATH")) is None:
        missing = program if cwd.is_dir() else str(cwd)
        raise FileNotFoundError(f"No such program or folder: {missing!r}")


def _close_pipes() -> None:
    # A forked process may outlive this one, and would keep the pipes open.
    for pipe in _pipes:
        os.close(pipe)
    _pipes.clear()


os.register_at_fork(after_in_child=_close_pipes)

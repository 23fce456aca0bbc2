"""Airflow's long-running processes, each in a session of its own and ended with all its children."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    # The system gives ports from 32768 on to outgoing connections. A connection of another test could take
    # such a port before Airflow listens on it.
    for port in random.sample(range(12_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    msg = "None of 100 ports is free."
    raise RuntimeError(msg)


class Process:
    """One `airflow` command that goes on until it is ended, writing to `<folder>/<name>.log`."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also that of its session and group."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything that the process wrote so far."""
        return self._log.read_text(errors="replace")

    def check(self) -> None:
        """Raise if the process has ended by itself."""
        if self._process.poll() is not None:
            msg = f"airflow {self.name} ended with {self._process.returncode}:\n{self.log[-4000:]}"
            raise RuntimeError(msg)

    def kill(self) -> None:
        """End it and its children at once, without a chance to clean up."""
        for member in self._session():
            member.kill()
        self._process.wait()

    def stop(self, grace: float = 10) -> None:
        """Ask it to end, and after `grace` seconds end what is left of its session."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        psutil.wait_procs(self._session(), timeout=grace)
        self.kill()

    def _session(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if _session_of(process) == self.pid]


def _session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None

"""`dbtcloud serve` as a process, and what its own output says of it."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

PROGRAM = [sys.executable, "-m", "dbtcloud.cli"]


@dataclass
class Serving:
    """A served dbt Cloud, as its own output describes it."""

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def connection(self) -> dict[str, str]:
        line = next(line for line in self.lines if line.startswith("export "))
        name, _, value = shlex.split(line)[1].partition("=")
        assert name == "AIRFLOW_CONN_DBT_CLOUD_DEFAULT"
        return json.loads(value)

    def get(self, path: str, token: str | None = None) -> requests.Response:
        connection = self.connection
        headers = {"Authorization": f"Token {token or connection['password']}"}
        return requests.get(f"{connection['host']}{path}", headers=headers, timeout=10)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.lines += rest.splitlines()
        return self.process.returncode


@contextmanager
def serve(*options: str, **variables: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        yield Serving(process, lines)
    finally:
        process.kill()
        process.communicate()


def refusal(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *options], capture_output=True, text=True, timeout=60, check=False)


def run_job(served: Serving, job_id: int, token: str | None = None, **overrides: Any) -> int:
    connection = served.connection
    answer = requests.post(
        f"{connection['host']}/api/v2/accounts/1/jobs/{job_id}/run/",
        headers={"Authorization": f"Token {token or connection['password']}"},
        json={"cause": "a test", **overrides},
        timeout=10,
    )
    return answer.json()["data"]["id"]


def run_of(served: Serving, run_id: int, token: str | None = None) -> dict[str, Any]:
    return served.get(f"/api/v2/accounts/1/runs/{run_id}/?include_related=run_steps", token).json()["data"]


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_in(folder: Path) -> list[psutil.Process]:
    """The dbt processes of a server with this data folder."""
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get("DBT_PROJECT_DIR", "").startswith(str(folder))
    ]


def log_of(folder: Path, run_id: int) -> str:
    logs = folder.glob(f"runs/{run_id}/logs/*/dbt.log")
    return "".join(path.read_text() for path in logs)

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

PROGRAM = [sys.executable, "-m", "airflow_dbt_cloud.cli"]


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


def test_what_it_prints_is_all_that_airflow_needs():
    with serve("--memory") as served:
        connection = served.connection

        assert served.lines[0] == f"dbt Cloud is served on {connection['host']}"
        assert connection["conn_type"] == "dbt_cloud"
        assert served.get("/_local/health").status_code == 200
        assert served.get(f"/api/v2/accounts/{connection['login']}/jobs/").status_code == 200
        assert served.get("/api/v2/accounts/1/jobs/", token="wrong").status_code == 401


@pytest.mark.parametrize(
    ("options", "variables"),
    [(["--token", "dough"], {}), ([], {"AIRFLOW_DBT_CLOUD_TOKEN": "dough"})],
    ids=["option", "variable"],
)
def test_a_given_token_is_used_and_not_printed(options, variables):
    with serve("--memory", *options, **variables) as served:
        assert "dough" not in "\n".join(served.lines)
        assert served.connection["password"] == "<your token>"
        assert served.get("/api/v2/accounts/1/jobs/", token="dough").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number):
    with serve("--memory") as served:
        assert served.end(number) == 0
        assert served.lines[-1] == "Stopped."


def test_a_port_in_use_is_one_clear_message():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = refusal("serve", "--memory", "--port", str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert f"Port {port} on 127.0.0.1 is in use" in ended.stderr
    assert "--port" in ended.stderr


def test_listening_to_others_without_a_token_of_ones_own_is_refused():
    ended = refusal("serve", "--memory", "--host", "0.0.0.0")

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "--token" in ended.stderr


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(port):
    ended = refusal("serve", f"--port={port}")

    assert ended.returncode == 2
    assert f"'{port}' is no port; give a number from 0 to 65535" in ended.stderr


@pytest.mark.parametrize("absent", ["filelock", "platformdirs"])
def test_the_missing_extra_is_named_at_the_start(absent):
    code = (
        f"import sys; sys.modules[{absent!r}] = None\n"
        "from airflow_dbt_cloud.cli import main\n"
        "sys.exit(main(['serve', '--port', '0', '--memory']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "pip install 'airflow-dbt-cloud[local]'" in ended.stderr


def run_job(served: Serving, job_id: int) -> int:
    connection = served.connection
    answer = requests.post(
        f"{connection['host']}/api/v2/accounts/1/jobs/{job_id}/run/",
        headers={"Authorization": f"Token {connection['password']}"},
        json={"cause": "a test"},
        timeout=10,
    )
    return answer.json()["data"]["id"]


@pytest.mark.dbt
def test_ending_it_ends_the_dbt_that_runs_and_what_was_done_is_kept(tmp_path: Path):
    with serve("--data-dir", str(tmp_path)) as served:
        run_id = run_job(served, 2)
        wait_for(lambda: "START sql table model prod.oven_endurance" in log_of(tmp_path, run_id))
        assert processes_in(tmp_path)
        assert served.end(signal.SIGTERM) == 0

    assert not processes_in(tmp_path)
    with serve("--data-dir", str(tmp_path)) as served:
        run = served.get(f"/api/v2/accounts/1/runs/{run_id}/").json()["data"]
        assert run["is_cancelled"]


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_of(folder: Path, run_id: int) -> str:
    logs = folder.glob(f"runs/{run_id}/logs/*/dbt.log")
    return "".join(path.read_text() for path in logs)


def processes_in(folder: Path) -> list[psutil.Process]:
    """The processes that work in the folder."""
    return [
        process
        for process in psutil.process_iter(["cwd"])
        if (process.info["cwd"] or "").startswith(str(folder))
    ]

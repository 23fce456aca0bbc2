"""Programs of `recipes/`, each run by the Python of an environment with its framework."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foreign_client import ROOT, environment

RECIPES = ROOT / "recipes"


@pytest.fixture
def variables(dbt_cloud, tmp_path):
    """The variables that lead a program to the local dbt Cloud."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT / "dbtcloud" / "src"),
        "DBT_CLOUD_TOKEN": dbt_cloud.token,
        "DBT_CLOUD_ACCOUNT_ID": str(dbt_cloud.account_id),
        "DBT_CLOUD_HOST": dbt_cloud.url,
    }


@pytest.fixture
def run(variables, tmp_path):
    """A function that runs a program of an environment and returns its exit code and its output."""

    def run_program(frameworks: str, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment(frameworks) / "python", *arguments],
            env=variables | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run_program


@pytest.fixture
def site(variables, tmp_path):
    """A context manager that runs a web program until its block ends, and gives its address."""

    @contextmanager
    def running(*arguments: str, **more: str) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [environment("web") / "python", *(word.replace("PORT", str(port)) for word in arguments)]
        with (tmp_path / "site.log").open("w") as log:
            process = subprocess.Popen(
                command, env=variables | more, cwd=RECIPES, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                wait_until_open(port, process, tmp_path / "site.log")
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(timeout=30)

    return running


def wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something listens on a port, or fail if the process has ended."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # nothing reports that another process listens
    pytest.fail(f"nothing listens: {log.read_text()}")


@pytest.fixture
def fetch():
    """A function that sends a request and returns the status, the headers and the body of the answer."""

    def send(url: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        request = urllib.request.Request(url, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    return send

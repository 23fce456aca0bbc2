"""A local dbt Cloud over real sockets, as new for every test, and a plain client to ask it with."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud

TOKEN = "a-token-for-tests"

SIMULATED = {
    "queued": 10,
    "starting": 5,
    "running": 60,
    "steps": [
        {"name": "Clone git repository", "seconds": 5, "logs": "cloned"},
        {"name": "Invoke dbt with `dbt build`", "seconds": 55, "logs": "built", "command": "dbt build"},
    ],
    "artifacts": {"run_results.json": {"results": []}, "compiled/shop/a.sql": "select 1"},
}
INSTANT = {"outcome": 10}
FAILED = {
    "outcome": 20,
    "message": "It broke.",
    "steps": [{"name": "Invoke dbt with `dbt build`", "outcome": 20, "command": "dbt build"}],
    "artifacts": {"run_results.json": {"results": []}},
}


class Api:
    """The Admin API of account 1 as a client without any cleverness sees it."""

    def __init__(self, server: LocalDbtCloud) -> None:
        self.server = server
        self.control = server.control
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {server.token}"

    def ask(self, path: str, method: str = "GET", **kwargs: Any) -> requests.Response:
        """Send a request; a path that is not absolute is within v2 of account 1."""
        url = f"{self.server.url}{path if path.startswith('/') else f'/api/v2/accounts/1/{path}'}"
        return self.session.request(method, url, timeout=10, allow_redirects=False, **kwargs)

    def get(self, path: str, **params: Any) -> Any:
        """Return the data of an answer that must be 200."""
        response = self.ask(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def post(self, path: str, **body: Any) -> Any:
        """Return the data of an answer that must be 200."""
        response = self.ask(path, "POST", json=body)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def job(self, pretend: dict[str, Any] | None = None, **fields: Any) -> int:
        """Seed a job whose runs are simulated and return its id."""
        job = {"name": "Simulated", "pretend": SIMULATED if pretend is None else pretend, **fields}
        return self.control.seed(jobs=[job])["jobs"][0]

    def start(self, job_id: int, **body: Any) -> dict[str, Any]:
        """Start a run."""
        return self.post(f"jobs/{job_id}/run/", **{"cause": "A test", **body})


@pytest.fixture(scope="session")
def served() -> Iterator[LocalDbtCloud]:
    with LocalDbtCloud(token=TOKEN) as server:
        yield server


@pytest.fixture
def api(served: LocalDbtCloud) -> Iterator[Api]:
    served.control.reset()
    client = Api(served)
    yield client
    client.session.close()


@pytest.fixture
def failed_script() -> dict[str, Any]:
    return FAILED


@pytest.fixture
def client_of() -> Iterator[Callable[[LocalDbtCloud], Api]]:
    clients: list[Api] = []

    def make(server: LocalDbtCloud) -> Api:
        clients.append(Api(server))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()


@pytest.fixture
def eventually() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.005)

    return wait


@pytest.fixture(scope="session")
def samples() -> Path:
    """Answers of the real dbt Cloud that others published, kept outside the repository."""
    folder = Path(os.environ.get("DBT_CLOUD_SAMPLES", "nowhere"))
    if not folder.is_dir():
        pytest.skip("no published answers of dbt Cloud here; set DBT_CLOUD_SAMPLES to a folder of them")
    return folder

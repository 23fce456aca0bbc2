"""The replaced provider, unmodified, in its own environment, with a local dbt Cloud behind TLS."""

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from benchmarks import incumbent
from dbtcloud.local.server.in_thread import LocalDbtCloud
from foreign_client import certificate_authority, client, server

__all__ = ["certificate_authority", "client", "server"]

PROGRAMS = Path(__file__).parent / "incumbent"
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
CONNECTION = "AIRFLOW_CONN_DBT_CLOUD_DEFAULT"
PRETENDED = [
    {"id": 70, "name": "Short", "pretend": {"running": 3}},
    {"id": 71, "name": "Endless", "pretend": {"running": 600}},
    {"id": 72, "name": "Doomed", "pretend": {"running": 2, "outcome": 20}},
]


@dataclass(frozen=True)
class Incumbent:
    """That provider's environment: its interpreter, the home of its Airflow, and the variables of both."""

    python: Path
    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str | Path) -> str:
        """Run Python to its end and return what it printed; fail with that if it fails."""
        done = subprocess.run(
            [self.python, *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{arguments} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout


@dataclass(frozen=True)
class Story:
    """What became of the DAGs: by DAG id, on the wire, in the working directory, in the log."""

    outcomes: dict[str, dict[str, Any]]
    requests: list[dict[str, Any]]
    runs: dict[int, dict[str, Any]]
    folder: Path
    log: str

    def log_of(self, task: str) -> str:
        """What was logged from the start of a task, named `dag.task`, to its end."""
        return self.log.partition(f"running task <TaskInstance: {task} ")[2].partition("end task")[0]


@pytest.fixture(scope="session")
def tls_cloud(certificate_authority: trustme.CA) -> Iterator[LocalDbtCloud]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate_authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with LocalDbtCloud(ssl_context=context) as cloud:
        cloud.control.seed(jobs=PRETENDED)
        yield cloud


@pytest.fixture(scope="session")
def their_airflow(
    certificate_authority: trustme.CA, tls_cloud: LocalDbtCloud, tmp_path_factory: pytest.TempPathFactory
) -> Incumbent:
    """That provider with an Airflow of its own, whose connection leads to the local dbt Cloud."""
    folder = tmp_path_factory.mktemp("incumbent")
    certificates = folder / "ca.pem"
    certificate_authority.cert_pem.write_to_path(str(certificates))
    theirs = Incumbent(incumbent.python(), folder, _environment(folder, certificates, tls_cloud))
    theirs.run("-m", "airflow", "db", "migrate")
    return theirs


@pytest.fixture(scope="session")
def story(their_airflow: Incumbent, tls_cloud: LocalDbtCloud) -> Story:
    """Every DAG of `incumbent/dags.py`, run by the environment's own Airflow."""
    log = their_airflow.run(PROGRAMS / "run.py", "outcomes.json")
    outcomes = json.loads((their_airflow.folder / "outcomes.json").read_text())
    runs = {run["id"]: run for run in outcomes["lists"]["returned"]["all_runs"]}
    return Story(outcomes, tls_cloud.control.requests(), runs, their_airflow.folder, log)


@pytest.fixture
def our_connection(their_airflow: Incumbent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very connection that the other provider uses, in this process."""
    for name in (CONNECTION, "REQUESTS_CA_BUNDLE", "NO_PROXY"):
        monkeypatch.setenv(name, their_airflow.environment[name])


def _environment(folder: Path, certificates: Path, cloud: LocalDbtCloud) -> dict[str, str]:
    # That provider takes a host and a port, and speaks https only.
    host = f"localhost:{cloud.url.rpartition(':')[2]}"
    connection = {"conn_type": "dbt_cloud", "host": host, "login": "1", "password": cloud.token}
    bundle = {"name": "contract", "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(PROGRAMS)}}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return kept | {
        "AIRFLOW_HOME": str(folder),
        CONNECTION: json.dumps(connection),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "REQUESTS_CA_BUNDLE": str(certificates),
        "SSL_CERT_FILE": str(certificates),
        "NO_PROXY": "localhost",
    }

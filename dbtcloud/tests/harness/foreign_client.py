"""Other people's clients, unmodified, each in an environment of its own, and a local dbt Cloud behind TLS."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import trustme
from filelock import FileLock

from dbtcloud.local.server.in_thread import LocalDbtCloud
from small_artifacts import catalog, manifest, run_results
from wires.proxy import Proxy

ROOT = Path(__file__).parents[3]
# What clients take for dbt Cloud's own hosts; the proxy leads them to this machine.
ADMIN, DISCOVERY = "cloud.getdbt.com", "metadata.cloud.getdbt.com"
ARTIFACTS = {
    "manifest.json": manifest(),
    "run_results.json": run_results("1b9f"),
    "catalog.json": catalog(),
}
FAILED = {"run_results.json": run_results("2c0a", "error")}
STEPS = [{"name": "Invoke dbt with `dbt build`", "seconds": 1, "command": "dbt build"}]
SIMULATED = [
    {"id": 70, "name": "Short", "pretend": {"running": 1, "steps": STEPS, "artifacts": ARTIFACTS}},
    {"id": 71, "name": "Endless", "pretend": {"running": 600}},
    {"id": 72, "name": "Doomed", "pretend": {"outcome": 20, "artifacts": FAILED}},
]


@dataclass(frozen=True)
class Client:
    """A client's programs, the folder they run in, and the variables that lead them to the server."""

    programs: Path
    folder: Path
    variables: dict[str, str]

    def run(self, program: str, *arguments: str | Path, ends: int = 0) -> str:
        """Run one of its programs and return its standard output; fail if its exit code is another."""
        return self._done(program, *arguments, ends=ends).stdout

    def said(self, program: str, *arguments: str | Path) -> str:
        """Run one of its programs and return what it logged on standard error."""
        return self._done(program, *arguments).stderr

    def data(self, program: str, *arguments: str | Path) -> Any:
        """Run a program that prints dbt Cloud's answer, and return what the answer's envelope holds."""
        return json.loads(self.run(program, *arguments))["data"]

    def _done(self, program: str, *arguments: str | Path, ends: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.programs / program, *arguments],
            env=self.variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        if done.returncode != ends:
            pytest.fail(f"{program} {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done


@pytest.fixture(scope="session")
def certificate_authority() -> trustme.CA:
    """Who vouches for the server behind TLS."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(certificate_authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate_authority.issue_cert("localhost", ADMIN, DISCOVERY).configure_cert(context)
    return context


@pytest.fixture
def server(certificate: ssl.SSLContext | None) -> Iterator[LocalDbtCloud]:
    """A local dbt Cloud of the test's own, whose added jobs pretend."""
    with LocalDbtCloud(ssl_context=certificate) as cloud:
        cloud.control.seed(jobs=SIMULATED)
        yield cloud


@pytest.fixture
def client(
    server: LocalDbtCloud, certificate_authority: trustme.CA, proxy_to: Callable[..., Proxy], tmp_path: Path
) -> Callable[..., Client]:
    """Gives a client by its name, with variables of its own beside those of any."""
    certificates = tmp_path / "ca.pem"
    certificate_authority.cert_pem.write_to_path(str(certificates))
    place = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HTTPS_PROXY": proxy_to({ADMIN: place, DISCOVERY: place}).url,
        "NO_PROXY": "localhost,127.0.0.1",
        "REQUESTS_CA_BUNDLE": str(certificates),
        "SSL_CERT_FILE": str(certificates),
    }

    def give(name: str, **of_its_own: str) -> Client:
        return Client(environment(name), tmp_path, variables | of_its_own)

    return give


@pytest.fixture
def refused(server: LocalDbtCloud) -> Callable[[], list[str]]:
    """Tells what the server did not answer as asked: status, method and target of each request."""
    return lambda: [
        f"{entry['status']} {entry['method']} {entry['target']}"
        for entry in server.control.requests()
        if entry["status"] is not None and entry["status"] >= 400
    ]


@cache
def environment(name: str) -> Path:
    """Return where a client's programs are; its environment is made first, as its list of versions says."""
    folder, script = ROOT / ".venv-clients", ROOT / "scripts" / "environment.sh"
    folder.mkdir(exist_ok=True)
    # Several processes run the tests.
    with FileLock(folder / f"{name}.lock"):
        subprocess.run([script, "client", name], env=os.environ | {"PYTHON": sys.executable}, check=True)
    return folder / name / "bin"

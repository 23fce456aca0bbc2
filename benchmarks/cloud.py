"""A local dbt Cloud in a process of its own, behind TLS, that can be stopped and started again."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import requests
import trustme

PROGRAM = Path(__file__).parent / "programs" / "serve.py"
JOB = 90


class Cloud:
    """dbt Cloud for a benchmark; a context manager.

    Attributes:
        program: What serves it.
        authority: File with the certificate that clients must trust.
        token: What clients sign with; another one counts from the next `start`.
    """

    program = PROGRAM

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-cloud-")
        place = Path(self._folder.name)
        authority = trustme.CA()
        self.authority, self._certificate = str(place / "ca.pem"), str(place / "server.pem")
        authority.cert_pem.write_to_path(self.authority)
        signed = authority.issue_cert("localhost", "127.0.0.1")
        signed.private_key_and_cert_chain_pem.write_to_path(self._certificate)
        self.token, self.port = "a-made-up-token", 0
        self._control = requests.Session()
        self._control.verify, self._control.trust_env = self.authority, False
        self._control.headers["Authorization"] = f"Token {self.token}"

    def __enter__(self) -> Self:
        self.start()
        self.ask("POST", "seed", {"jobs": [{"id": JOB, "name": "Bench", "pretend": {"running": 3}}]})
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self.stop()
        self._folder.cleanup()

    def start(self, **more: Any) -> None:
        """Serve; where it served before and what it kept stay the same.

        Args:
            more: What else the program is told.
        """
        told = {"port": self.port, "token": self.token, "certificate": self._certificate, **more}
        self._process = subprocess.Popen(
            [sys.executable, self.program, json.dumps(told | {"folder": self._folder.name})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        self.port = int(url.rpartition(":")[2])

    def stop(self) -> None:
        """Serve no more; connections are refused."""
        self._process.communicate(timeout=30)

    @property
    def url(self) -> str:
        """Its address, by the name that the certificate holds."""
        return f"https://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client's process is told so that Airflow's default connection leads here."""
        # The other provider takes a bare host, and this one does too.
        host = self.url.removeprefix("https://")
        connection = {"conn_type": "dbt_cloud", "host": host, "login": "1", "password": self.token}
        return {
            "AIRFLOW_CONN_DBT_CLOUD_DEFAULT": json.dumps(connection),
            "REQUESTS_CA_BUNDLE": self.authority,
            "SSL_CERT_FILE": self.authority,
            "NO_PROXY": "localhost",
        }

    def seed_runs(
        self, count: int, first_end: float, last_end: float, age: float = 600.0
    ) -> dict[int, float]:
        """Simulated runs that are running now and succeed evenly spread; the second of each one's end."""
        every = (last_end - first_end) / max(count - 1, 1)
        life = {"running": age + first_end}
        document = {"job_id": JOB, "count": count, "age": age, "every": every, "pretend": life}
        now = self.ask("POST", "clock", {"advance": 0})["now"]
        ids = self.ask("POST", "seed", {"runs": [document]})["runs"]
        return {run_id: now + first_end + place * every for place, run_id in enumerate(ids)}

    def fault(self, **rule: Any) -> None:
        """Put a fault in force."""
        self.ask("POST", "faults", rule)

    def counters(self) -> dict[str, Any]:
        """Requests, connections, answers by status, runs created, since the last `clear`."""
        counted: dict[str, Any] = self.ask("GET", "counters")
        return counted

    def clear(self) -> None:
        """Begin to count anew, with no fault and no limit."""
        for what in ("faults", "rate_limit", "requests"):
            self.ask("DELETE", what)

    def ask(self, method: str, what: str, document: Any = None) -> Any:
        """Use the control plane, which is not counted."""
        answer = self._control.request(method, f"{self.url}/_local/{what}/", json=document, timeout=60)
        answer.raise_for_status()
        return answer.json()

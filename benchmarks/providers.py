"""The two providers that are measured, and programs run in the environment of either."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import incumbent

PROGRAMS = Path(__file__).parent / "programs"
ENDING_SECONDS = 60.0


@dataclass(frozen=True)
class Provider:
    """A provider: what it is called, its package, and the interpreter of an environment that has it."""

    name: str
    package: str
    python: Path

    @property
    def is_replaced(self) -> bool:
        """Whether it is the other one."""
        return self.package != "airflow_dbt_cloud"


def both() -> tuple[Provider, Provider]:
    """This provider and the one that it replaces, whose environment is made on the first run."""
    return (
        Provider("airflow-dbt-cloud", "airflow_dbt_cloud", Path(sys.executable)),
        Provider("incumbent 4.11.1", "airflow.providers.dbt.cloud", incumbent.python()),
    )


class Program:
    """A program of `programs/` in a provider's environment; it reads and writes lines of JSON.

    Args:
        provider: Whose environment.
        name: The program's file name.
        told: Its argument.
        environment: Variables beside this process's own, from which Airflow's are taken out.
    """

    def __init__(
        self, provider: Provider, name: str, told: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="bench-home-", ignore_cleanup_errors=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
        own = {"AIRFLOW_HOME": self._home.name, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        self.log = Path(self._home.name, "output.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [provider.python, "-W", "ignore", PROGRAMS / name, json.dumps(told)],
                env=kept | own | {"PYTHONPATH": str(PROGRAMS.parent.parent)} | dict(environment),
                cwd=self._home.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.process.communicate(timeout=ENDING_SECONDS)  # it may have processes of its own to end
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self._home.cleanup()

    def tell(self, what: Any) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Wait for the next line that it writes.

        Raises:
            RuntimeError: If it ends without one; the message holds the end of its log.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("{", "[", '"')):
                return json.loads(line)
        raise RuntimeError(f"The program ended without an answer:\n{self.log.read_text()[-3000:]}")

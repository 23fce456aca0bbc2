"""What importing the operators costs a DAG file or a task: `python -m benchmarks.import_cost`.

Airflow imports a DAG's operators in every parse and in every task process. Measured is the import itself, in
a fresh process that has already imported what any DAG file needs of `airflow.sdk`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import incumbent

LIMIT_RATIO = 0.05
HEAVY = ("requests", "aiohttp", "airflow.providers.http.hooks.http")

PROBE = f"""
import json, sys, time
from airflow.sdk import DAG, BaseOperator, task
before = set(sys.modules)
begun, worked = time.perf_counter(), time.process_time()
__import__(sys.argv[1])
took, worked = time.perf_counter() - begun, time.process_time() - worked
added = set(sys.modules) - before
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"ms": took * 1000, "cpu": worked * 1000, "modules": len(added), "heavy": heavy}}))
"""


@dataclass
class Subject:
    """A provider: its interpreter, its module, and what was measured."""

    name: str
    python: Path
    module: str
    ms: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    modules: int = 0
    heavy: list[str] = field(default_factory=list)

    def measure(self, home: str) -> None:
        """Import the module once in a process of its own."""
        told = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        command = [self.python, "-W", "ignore", "-c", PROBE, self.module]
        done = subprocess.run(
            command, env=told | {"AIRFLOW_HOME": home}, cwd=home, check=True, capture_output=True, text=True
        )
        seen = json.loads(done.stdout.splitlines()[-1])
        self.ms.append(seen["ms"])
        self.cpu.append(seen["cpu"])
        self.modules, self.heavy = seen["modules"], seen["heavy"]

    @property
    def cost(self) -> float:
        """Milliseconds of CPU, the median of all rounds: what else the machine does counts less."""
        return statistics.median(self.cpu)

    def row(self) -> str:
        """What was measured, as a row of the table."""
        loaded = ", ".join(self.heavy) or "none"
        elapsed = statistics.median(self.ms)
        return f"| {self.name} | {self.cost:.0f} | {elapsed:.0f} | {self.modules} | {loaded} |"


def measure(rounds: int) -> tuple[Subject, Subject]:
    """Measure both providers in turns, so that a busy moment of the machine meets both."""
    ours = Subject("airflow-dbt-cloud", Path(sys.executable), "airflow_dbt_cloud.operators.dbt")
    theirs = Subject(
        "apache-airflow-providers-dbt-cloud", incumbent.python(), "airflow.providers.dbt.cloud.operators.dbt"
    )
    with tempfile.TemporaryDirectory() as home:
        for subject in (ours, theirs):
            subject.measure(home)
            subject.ms.clear()
            subject.cpu.clear()
        for _ in range(rounds):
            ours.measure(home)
            theirs.measure(home)
    return ours, theirs


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdict; 1 where the limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="imports of each (default: %(default)s)")
    ours, theirs = measure(parser.parse_args(arguments).rounds)
    print(f"Import of the operators on top of airflow.sdk; medians of {len(ours.ms)} processes each.\n")
    print("| provider | CPU ms | elapsed ms | modules added | heavy ones loaded |")
    print("|---|---|---|---|---|")
    print(ours.row(), theirs.row(), sep="\n")
    light = not ours.heavy
    print(f"\nNeither requests nor aiohttp nor the HTTP hook is loaded by ours: {light}.")
    ratio = ours.cost / theirs.cost
    print(f"Limit {LIMIT_RATIO} of the other's CPU time, measured {ratio:.3f}: {ratio <= LIMIT_RATIO}.")
    return 0 if light and ratio <= LIMIT_RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())

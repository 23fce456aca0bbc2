"""The client of dbtcloud beside dbtc, and beside `import requests`: `python -m benchmarks.client`.

Both clients list 10,000 runs in an environment of their own, in turns, from one server behind TLS that makes
its pages beforehand. It answers without a delay, where the clients' own work counts, and with 0.1 s before
each answer, which is less than dbt Cloud takes for a page of a hundred runs.

The import is measured in new processes, as CPU time, beside `import requests` in the same rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Self

from benchmarks.cloud import Cloud
from benchmarks.incumbent import ROOT

PROGRAMS = Path(__file__).parent / "programs"
ROWS = 10_000
DELAYS = (0.0, 0.1)
LIMIT_SPEED = 3.0

IMPORTS = {
    "import requests": "import requests",
    "import dbtcloud": "import dbtcloud",
    "make a DbtCloudClient": "from dbtcloud import DbtCloudClient; DbtCloudClient('t', 1, 'a.us1.dbt.com')",
    "make one and send its first request": (
        "from dbtcloud import DbtCloudClient\nDbtCloudClient('t', 1, {host!r}).runs.list(limit=1).first()"
    ),
}
PROBE = (
    "import sys, time; worked = time.process_time(); exec({code!r}); worked = time.process_time() - worked\n"
    "print(worked * 1000, 'requests' in sys.modules, 'aiohttp' in sys.modules)"
)


class RunsServer(Cloud):
    """A server of a fixed list of runs.

    Args:
        delay: Seconds before each answer.
    """

    program = PROGRAMS / "serve_runs.py"

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay = delay

    def __enter__(self) -> Self:
        self.start(delay=self._delay)
        return self

    @property
    def variables(self) -> dict[str, str]:
        """What makes a client trust the certificate."""
        return {**os.environ, "REQUESTS_CA_BUNDLE": self.authority, "NO_PROXY": "localhost"}


def pythons() -> dict[str, Path]:
    """The interpreters of both environments, which are made first."""
    script, environment = ROOT / "scripts" / "environment.sh", os.environ | {"PYTHON": sys.executable}
    for arguments in (("dbtcloud",), ("client", "dbtc")):
        subprocess.run([script, *arguments], env=environment, check=True, stdout=sys.stderr)
    dbtc = ROOT / ".venv-clients" / "dbtc" / "bin" / "python"
    return {"dbtcloud": ROOT / ".venv-dbtcloud" / "bin" / "python", "dbtc": dbtc}


def listed(server: RunsServer, python: Path, client: str) -> dict[str, float]:
    """List all runs once, in a new process."""
    host = server.url.removeprefix("https://")
    command = [python, PROGRAMS / "list_with_client.py", client, host]
    done = subprocess.run(command, env=server.variables, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert figures["count"] == ROWS, figures
    return figures


def compare_lists(delay: float, rounds: int) -> float:
    """Print a row for each client, and return how many times as fast as dbtc ours is."""
    found: dict[str, list[dict[str, float]]] = {"dbtcloud": [], "dbtc": []}
    interpreters = pythons()
    with RunsServer(delay) as server:
        for _ in range(rounds):
            for client, figures in found.items():
                figures.append(listed(server, interpreters[client], client))
    medians = {}
    for client, figures in found.items():
        seconds, cpu = (statistics.median(each[name] for each in figures) for name in ("seconds", "cpu"))
        medians[client] = seconds
        print(f"| {client} | {delay:g} | {seconds:.2f} | {cpu:.2f} |")
    return medians["dbtc"] / medians["dbtcloud"]


def compare_imports(rounds: int) -> dict[str, float]:
    """Return the CPU milliseconds of each of `IMPORTS`, the median of new processes."""
    python, found = pythons()["dbtcloud"], {name: list[float]() for name in IMPORTS}
    with RunsServer(0.0) as server:
        for _ in range(rounds):
            for name, figures in found.items():
                code = PROBE.format(code=IMPORTS[name].format(host=server.url))
                done = subprocess.run(
                    [python, "-c", code], env=server.variables, check=True, capture_output=True, text=True
                )
                figures.append(float(done.stdout.split()[0]))
    return {name: statistics.median(figures) for name, figures in found.items()}


def main(arguments: list[str] | None = None) -> int:
    """Print both tables, and the verdict; 1 where the limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="processes of each (default: %(default)s)")
    rounds = parser.parse_args(arguments).rounds
    print(f"10,000 runs listed, medians of {rounds} processes; load {os.getloadavg()[0]:.1f}.\n")
    print("| client | delay of an answer s | seconds | CPU s |\n|---|---|---|---|")
    speeds = {delay: compare_lists(delay, rounds) for delay in DELAYS}
    imports = compare_imports(rounds)
    print("\n| what | CPU ms | times `import requests` |\n|---|---|---|")
    for name, cost in imports.items():
        print(f"| {name} | {cost:.0f} | {cost / imports['import requests']:.2f} |")
    print()
    for delay, speed in speeds.items():
        kept = (
            "" if delay == 0 else f"; limit {LIMIT_SPEED:g}: {'kept' if speed >= LIMIT_SPEED else 'MISSED'}"
        )
        print(f"With a delay of {delay:g} s, dbtcloud is {speed:.1f} times as fast as dbtc{kept}.")
    return 0 if all(speed >= LIMIT_SPEED for delay, speed in speeds.items() if delay) else 1


if __name__ == "__main__":
    raise SystemExit(main())

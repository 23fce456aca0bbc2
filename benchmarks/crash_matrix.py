"""How many dbt runs one task makes when something is lost: `python -m benchmarks.crash_matrix`.

A task with one retry starts a job and waits for it on the worker. In each case one thing goes wrong once;
each try is a process of its own. Right is one dbt run, and a task that succeeds.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from benchmarks import tables
from benchmarks.cloud import JOB, Cloud
from benchmarks.providers import Program, Provider, both

START = {"method": "POST", "route": "*/run/", "count": 1}
LOOK = {"method": "GET", "route": r"^.*/runs/\d+/$", "count": 1}
APPEARS_AFTER = 10.0


@dataclass(frozen=True)
class Case:
    """Something that goes wrong.

    Attributes:
        name: What it is.
        fault: A rule for dbt Cloud.
        killed: When the first try's process is killed: as soon as dbt Cloud has seen this.
        late: Whether the run that was asked for begins some seconds after the request was answered.
    """

    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    killed: Callable[[Cloud], bool] | None = None
    late: bool = False


def started(cloud: Cloud) -> bool:
    """Whether a run was started."""
    return bool(cloud.counters()["runs_created"])


def looked_at(cloud: Cloud) -> bool:
    """Whether the task has asked for its run's status."""
    asked = cloud.ask("GET", "requests")["requests"]
    return any(one["method"] == "GET" and "/runs/" in one["target"] and one["status"] for one in asked)


CASES = (
    Case("POST lost before it acted", {"kind": "reset", **START}),
    Case("POST lost after it acted", {"kind": "reset", "after_acting": True, **START}),
    Case("500 after acting", {"kind": "status", "after_acting": True, **START}),
    Case("500 before acting", {"kind": "status", **START}),
    Case("HTML after acting", {"kind": "html", "after_acting": True, **START}),
    Case("cut answer", {"kind": "cut", **START}),
    Case("302", {"kind": "redirect", **START}),
    Case("answer later than the timeout", {"kind": "delay", "after_acting": True, "seconds": 6, **START}),
    Case("first look fails (500)", {"kind": "status", **LOOK}),
    Case("worker killed while it waits", killed=looked_at),
    Case(
        "worker killed in the middle of the POST",
        {"kind": "delay", "after_acting": True, "seconds": 10, **START},
        killed=started,
    ),
    Case("hook error (400) and a retry", {"kind": "status", "status": 400, **LOOK}),
    Case(f"run appears {APPEARS_AFTER:g} s after the 500", {"kind": "status", **START}, late=True),
)


@dataclass(frozen=True)
class Outcome:
    """What became of the task: dbt runs, tries, and whether it succeeded."""

    runs: int
    tries: int
    succeeded: bool

    def __str__(self) -> str:
        tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
        return f"{self.runs} ({tries}, {'success' if self.succeeded else 'failed'})"


def play(provider: Provider, case: Case) -> Outcome:
    """Run the task, with one retry, through a case."""
    with Cloud() as cloud, ThreadPoolExecutor() as pool:
        cloud.ask("POST", "seed", {"jobs": [{"id": JOB, "name": "Crash", "pretend": {"running": 8}}]})
        if case.fault:
            cloud.fault(**case.fault)
        late = pool.submit(begin_late, cloud) if case.late else None
        begun = datetime.now(UTC).isoformat()
        succeeded = attempt(provider, cloud, begun, 1, case.killed)
        tries = 1
        if not succeeded:
            succeeded, tries = attempt(provider, cloud, begun, 2, None), 2
        if late:
            late.result()
        return Outcome(cloud.counters()["runs_created"], tries, succeeded)


def attempt(
    provider: Provider, cloud: Cloud, begun: str, number: int, killed: Callable[[Cloud], bool] | None
) -> bool:
    """One try of the task in a process of its own; whether it succeeded."""
    told = {"package": provider.package, "job": JOB, "try": number, "dag_run_start": begun}
    told |= {"hook_params": {"timeout_seconds": 3}}
    with Program(provider, "attempt.py", told, cloud.environment) as process:
        if killed is None:
            return bool(process.hear()["succeeded"])
        until(lambda: killed(cloud))
        process.process.kill()
        return False


def begin_late(cloud: Cloud) -> None:
    """Begin the run that the first POST asked for some seconds after that was answered."""

    def posted() -> dict[str, Any] | None:
        asked = cloud.ask("GET", "requests")["requests"]
        return next((one for one in asked if one["method"] == "POST" and one["status"]), None)

    body = json.loads(until(posted)["body"])
    time.sleep(APPEARS_AFTER)
    address = f"{cloud.url}/api/v2/accounts/1/jobs/{JOB}/run/"
    with requests.Session() as session:
        session.trust_env = False
        session.post(
            address,
            json=body,
            headers={"Authorization": f"Token {cloud.token}"},
            verify=cloud.authority,
            timeout=30,
        ).raise_for_status()


def until(seen: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Ask until there is an answer, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := seen():
            return answer
        time.sleep(0.1)
    raise TimeoutError("dbt Cloud was not asked for what the case is about.")


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdict; 1 where a task of ours ends otherwise than with one run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash_matrix", description=__doc__)
    parser.add_argument("--parallel", type=int, default=4, help="cases at a time (default: %(default)s)")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of cases, from 1")
    told = parser.parse_args(arguments)
    cases = [CASES[number - 1] for number in told.only] if told.only else CASES
    ours, theirs = both()
    with ThreadPoolExecutor(told.parallel) as pool:
        doing = [(case, pool.submit(play, ours, case), pool.submit(play, theirs, case)) for case in cases]
        played = [(case, mine.result(), other.result()) for case, mine, other in doing]
    print("dbt runs that one task with one retry makes.\n")
    print(tables.header("case", ours.name, theirs.name))
    for case, mine, other in played:
        print(tables.row((case.name, mine, other)))
    print(f"\nCases with more than one dbt run: {theirs.name} {sum(other.runs > 1 for *_, other in played)}.")
    wrong = sum(mine.runs != 1 or not mine.succeeded for _, mine, _ in played)
    return tables.judged([("Cases of ours that end otherwise than with one run and success", wrong, 0)])


if __name__ == "__main__":
    raise SystemExit(main())

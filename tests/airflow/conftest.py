"""A job on the local dbt Cloud whose runs go on until a test ends them, and a task that runs it."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.models import Run as DbtRun
from dbtcloud.client.protocol import Call, T
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.local.server.in_thread import LocalDbtCloud
from real_airflow import Outcome, RealAirflow, Run
from waiting import until

HOURS = 10 * 3600.0
NAMES = {RunStatus.SUCCESS: "success", RunStatus.ERROR: "error", RunStatus.CANCELLED: "cancelled"}


@dataclass(frozen=True)
class Job:
    """A job, and dbt Cloud's own view of its runs."""

    cloud: LocalDbtCloud
    id: int

    def runs(self) -> list[DbtRun]:
        """Every run of the job, oldest first."""
        listed = endpoints.list_runs(self.cloud.account_id, job_definition_id=self.id, order_by="id")
        return self._ask(listed)

    def ends(self) -> list[str]:
        """How each run has ended, oldest first; "going" where it has not."""
        return [NAMES.get(RunStatus(run.status), "going") for run in self.runs()]

    def wait_for_ends(self, *expected: str, timeout: float = 30) -> None:
        """Wait until the runs have ended in this way."""
        until(
            lambda: self.ends() == list(expected),
            timeout=timeout,
            what=lambda: f"runs that are {expected}; they are {self.ends()}",
        )

    def cancel(self, run_id: int) -> None:
        """Cancel a run, as a user of dbt Cloud would."""
        self._ask(endpoints.cancel_run(self.cloud.account_id, run_id))

    def finish(self) -> None:
        """Let every run that goes on succeed now."""
        self.cloud.control.advance(HOURS)

    def _ask(self, call: Call[T]) -> T:
        with SyncClient(Credentials(base_url=self.cloud.url, token=self.cloud.token)) as client:
            return client.ask(call)


@dataclass(frozen=True)
class Build:
    """The task `build` of one DAG run, which runs the job."""

    airflow: RealAirflow
    run: Run

    def dbt_run(self, try_number: int = 1) -> int:
        """Wait until a try says which dbt run it has, and give its id."""
        said = self.wait_for_log(r"dbt Cloud run (\d+) of job", try_number)
        return int(said[1])

    def watched(self, try_number: int = 1) -> int:
        """Wait until the triggerer watches the dbt run of a try, and give its id."""
        self.wait_for_log(r"trigger .* starting", try_number)
        return self.dbt_run(try_number)

    def wait_for(self, *states: str) -> None:
        """Wait until the task is in one of these states."""
        self.airflow.wait_for(self.run, "build", states)

    def wait_for_log(self, pattern: str, try_number: int = 1, timeout: float = 60) -> re.Match[str]:
        """Wait until the log of a try says something."""

        def look() -> re.Match[str] | None:
            [one] = [one for one in self.airflow.task_instances(self.run) if one.task_id == "build"]
            if one.try_number < try_number or not one.raw["start_date"]:
                return None
            return re.search(pattern, self.log(try_number))

        return until(look, timeout=timeout, what=lambda: f"{pattern!r} in the log:\n{self.log(try_number)}")

    def log(self, try_number: int = 1) -> str:
        """The log of a try."""
        return self.airflow.task_log(self.run, "build", try_number)

    def crash(self) -> None:
        """Kill the task's process."""
        os.kill(self.airflow.wait_for(self.run, "build", {"running"}).raw["pid"], signal.SIGKILL)

    def wait_for_exit(self) -> None:
        """Wait until the process that the task now has is no more."""
        pid = self.airflow.wait_for(self.run, "build", {"running", "failed", "success"}).raw["pid"]
        until(lambda: not psutil.pid_exists(pid), timeout=30, what=lambda: f"the end of process {pid}")

    def clear(self) -> None:
        """Clear the task."""
        self.airflow.clear(self.run, "build")

    def mark(self, state: str) -> None:
        """Mark the task as "failed" or "success"."""
        self.airflow.mark(self.run, "build", state)

    def end(self) -> Outcome:
        """Wait for the DAG run's end."""
        return self.airflow.wait(self.run)


@pytest.fixture
def job(cloud: LocalDbtCloud) -> Iterator[Job]:
    """A new job; what still goes on of it is ended after the test."""
    pretend = {"running": HOURS, "outcome": int(RunStatus.SUCCESS)}
    [number] = cloud.control.seed(jobs=[{"name": "Long", "pretend": pretend}])["jobs"]
    made = Job(cloud, number)
    yield made
    made.finish()


@pytest.fixture
def build(airflow: RealAirflow, job: Job) -> Callable[[str], Build]:
    """Start a DAG of dags/befall.py whose task `build` runs the job."""
    return lambda dag_id: Build(airflow, airflow.trigger(dag_id, {"job_id": job.id}))

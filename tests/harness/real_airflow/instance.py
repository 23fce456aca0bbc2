"""One real Airflow: its processes, and what a user would do with it."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Self

import requests

from real_airflow import runs
from real_airflow.processes import Process
from real_airflow.rest import Rest
from real_airflow.runs import Outcome, Run, TaskInstance
from real_airflow.settings import PASSWORD, USER, Settings
from waiting import until

PAGE = 100  # Airflow's REST API gives no more at once
ENDED = ("success", "failed")
PARTS = ("api-server", "scheduler", "triggerer", "dag-processor")


class RealAirflow:
    """A scheduler, a triggerer, a DAG processor and an API server on a database of their own.

    Use it as a context manager. `rest` is its REST API, `url` its web page, `processes` its parts by name.
    """

    user, password = USER, PASSWORD

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.url
        self.rest = Rest(settings.url, USER, PASSWORD)
        self.processes: dict[str, Process] = {}
        self._environment = settings.environment()
        self._seen: dict[tuple[Run, str, int], list[str]] = defaultdict(list)

    def __enter__(self) -> Self:
        """Migrate the database, start every part and wait until all say that they are healthy."""
        self.command("db", "migrate")
        try:
            for part in PARTS:
                self.start(part)
            until(self._healthy, timeout=180, what=lambda: f"a healthy Airflow at {self.url}")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End every process."""
        self.stop()

    def start(self, part: str, *arguments: str, name: str = "") -> Process:
        """Start one more process, `airflow <part> <arguments>`, under a name of its own."""
        process = Process(name or part, [part, *arguments], self._environment, self.settings.home)
        self.processes[process.name] = process
        return process

    def stop(self) -> None:
        """End every process, the API server last: the others report to it."""
        for process in reversed(self.processes.values()):
            process.stop()
        self.processes.clear()

    def command(self, *arguments: str) -> str:
        """Run an `airflow` command to its end and give what it printed; raise with it if it failed."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self._environment,
            cwd=self.settings.home,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            msg = f"airflow {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            raise RuntimeError(msg)
        return done.stdout

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, **fields: Any) -> Run:
        """Start a run of a DAG, as soon as its file has been parsed."""
        until(
            lambda: self._parsed(dag_id), timeout=90, what=lambda: f"the DAG {dag_id}: {self.import_errors()}"
        )
        answer = self.rest.post(f"dags/{dag_id}/dagRuns", logical_date=None, conf=conf or {}, **fields)
        return Run(dag_id, answer["dag_run_id"])

    def wait(self, run: Run, timeout: float = 120) -> Outcome:
        """Watch a run until it has ended, and give what became of it."""
        state = until(lambda: self._ended(run), timeout=timeout, what=lambda: self._describe(run, "end"))
        return Outcome(self.rest, run, state, self.task_instances(run))

    def wait_for(
        self, run: Run, task_id: str, states: Collection[str], *, timeout: float = 60, map_index: int = -1
    ) -> TaskInstance:
        """Watch one task of a run until it is in one of these states."""

        def look() -> TaskInstance | None:
            for one in self.task_instances(run):
                if (one.task_id, one.map_index) == (task_id, map_index) and one.state in states:
                    return one
            return None

        return until(look, timeout=timeout, what=lambda: self._describe(run, f"{task_id} to be in {states}"))

    def task_instances(self, run: Run) -> list[TaskInstance]:
        """Give every task instance of a run as it is now."""
        self._check()
        found: list[dict[str, Any]] = []
        while True:
            page = self.rest.get(f"{run.path}/taskInstances", limit=PAGE, offset=len(found))
            found += page["task_instances"]
            if len(found) >= page["total_entries"]:
                return [self._notice(run, raw) for raw in found]

    def xcom(self, run: Run, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Give the value that a task pushed under a key."""
        return runs.xcom(self.rest, run, task_id, key, map_index)

    def task_log(self, run: Run, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Give the log of one try of a task, each event on a line."""
        return runs.task_log(self.rest, run, task_id, try_number, map_index)

    def clear(self, run: Run, *task_ids: str) -> None:
        """Clear tasks of a run (all without names), as the Clear button does."""
        named = {"task_ids": list(task_ids)} if task_ids else {}
        self.rest.post(
            f"dags/{run.dag_id}/clearTaskInstances",
            dag_run_id=run.run_id,
            dry_run=False,
            only_failed=False,
            reset_dag_runs=True,
            **named,
        )

    def mark(self, run: Run, task_id: str, state: str) -> None:
        """Mark a task as "failed" or "success", as the buttons do."""
        self.rest.patch(f"{run.path}/taskInstances/{task_id}", new_state=state)

    def mark_failed(self, run: Run, task_id: str) -> None:
        """Mark a task as failed, as the button does."""
        self.mark(run, task_id, "failed")

    def add_connection(self, connection_id: str, conn_type: str, **fields: Any) -> None:
        """Store a connection in the database, `extra` as JSON text."""
        self.rest.post("connections", connection_id=connection_id, conn_type=conn_type, **fields)

    def import_errors(self) -> dict[str, str]:
        """Give the traceback of each DAG file that could not be imported."""
        found = self.rest.get("importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in found}

    def _check(self) -> None:
        for process in self.processes.values():
            process.check()

    def _healthy(self) -> bool:
        self._check()
        if not self.rest.alive():
            return False
        self.rest.log_in()
        return set(self.rest.health().values()) == {"healthy"}

    def _parsed(self, dag_id: str) -> bool:
        self._check()
        try:
            dag = self.rest.get(f"dags/{dag_id}")
        except requests.HTTPError as error:
            if error.response is not None and error.response.status_code == requests.codes.not_found:
                return False
            raise
        return not dag.get("is_stale")

    def _ended(self, run: Run) -> str | None:
        self.task_instances(run)
        state: str = self.rest.get(run.path)["state"]
        return state if state in ENDED else None

    def _notice(self, run: Run, raw: dict[str, Any]) -> TaskInstance:
        seen = self._seen[run, raw["task_id"], raw["map_index"]]
        state = raw["state"]
        if state and state not in seen[-1:]:
            seen.append(state)
        return TaskInstance(run, raw["task_id"], raw["map_index"], state, raw["try_number"], tuple(seen), raw)

    def _describe(self, run: Run, what: str) -> str:
        lines = [f"{run.dag_id} {run.run_id} to {what}."]
        for one in self.task_instances(run):
            lines.append(f"--- {one.name} try {one.try_number}, states {one.seen}")
            if one.try_number:
                lines.append(self.task_log(run, one.task_id, one.try_number, one.map_index)[-3000:])
        return "\n".join(lines)

"""DAG runs as tests see them: started, watched, and looked at when they have ended."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from real_airflow.rest import Rest


@dataclass(frozen=True)
class Run:
    """One DAG run, by its two names."""

    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        """The run's path in the REST API."""
        return f"dags/{self.dag_id}/dagRuns/{quote(self.run_id, safe='')}"

    @property
    def page(self) -> str:
        """The path of the run's web page."""
        return f"dags/{self.dag_id}/runs/{quote(self.run_id, safe='')}"


@dataclass(frozen=True)
class TaskInstance:
    """One task of a run, mapped or not; `seen` are its states in the order in which they were noticed."""

    run: Run
    task_id: str
    map_index: int
    state: str | None
    try_number: int
    seen: tuple[str, ...]
    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """The task's id, with the index where it is mapped: `task[0]`."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class Outcome:
    """A run that has ended: its state, its task instances, and what they left behind."""

    def __init__(self, rest: Rest, run: Run, state: str, instances: list[TaskInstance]) -> None:
        self._rest = rest
        self.run = run
        self.state = state
        self.instances = instances

    @property
    def states(self) -> dict[str, str | None]:
        """The state of each task, mapped ones as `task[0]`."""
        return {one.name: one.state for one in self.instances}

    def task(self, task_id: str, map_index: int = -1) -> TaskInstance:
        """Give the one task instance of that name and index."""
        [found] = [one for one in self.instances if (one.task_id, one.map_index) == (task_id, map_index)]
        return found

    def of(self, task_id: str) -> list[TaskInstance]:
        """Give every task instance of that name: one, or those of a mapped task."""
        return [one for one in self.instances if one.task_id == task_id]

    def story(self) -> str:
        """Tell what became of each task, with the log of its last try; for the message of an assertion."""
        return "\n".join(f"--- {one.name}: {one.seen}\n{self._last_log(one)}" for one in self.instances)

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Give the value that a task pushed under a key."""
        return xcom(self._rest, self.run, task_id, key, map_index)

    def log(self, task_id: str, map_index: int = -1, try_number: int | None = None) -> str:
        """Give the log of a task's last try, or of the one asked for."""
        tried = try_number or self.task(task_id, map_index).try_number
        return task_log(self._rest, self.run, task_id, tried, map_index)

    def deferred(self, task_id: str) -> bool:
        """Say whether every task instance of that name was deferred in its last try, as its log tells."""
        return all("Pausing task as DEFERRED" in self.log(task_id, one.map_index) for one in self.of(task_id))

    def _last_log(self, one: TaskInstance) -> str:
        return self.log(one.task_id, one.map_index)[-4000:] if one.try_number else "never started"

    def links(self, task_id: str, map_index: int = -1) -> dict[str, str | None]:
        """Give the extra links of a task by their names."""
        answer = self._rest.get(f"{self.run.path}/taskInstances/{task_id}/links", map_index=map_index)
        links: dict[str, str | None] = answer["extra_links"]
        return links

    def __repr__(self) -> str:
        """Name the run and every task's state: pytest shows this where an assertion fails."""
        return f"<{self.run.dag_id} {self.state}: {self.states}>"


def xcom(rest: Rest, run: Run, task_id: str, key: str, map_index: int) -> Any:
    """Read one XCom, as the object it was before it was stored."""
    path = f"{run.path}/taskInstances/{task_id}/xcomEntries/{quote(key, safe='')}"
    return rest.get(path, map_index=map_index, deserialize=False, stringify=False)["value"]


def task_log(rest: Rest, run: Run, task_id: str, try_number: int, map_index: int) -> str:
    """Read a try's log as the web page does: one line for each event, its fields after the text."""
    path = f"{run.path}/taskInstances/{task_id}/logs/{try_number}"
    events = rest.get(path, map_index=map_index, full_content=True)["content"]
    return "\n".join(_line(event) for event in events)


def _line(event: dict[str, Any] | str) -> str:
    if isinstance(event, str):
        return event
    fields = [f"{name}={value}" for name, value in event.items() if name not in ("event", "timestamp")]
    return " ".join([str(event["event"]), *fields])

"""A dbt Cloud on a real socket that loses answers, acts late, shows incomplete lists and has a wrong clock.

Its time is its own: it passes only when a task sleeps.
"""

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from wires.raw import RawServer, Received, answer, envelope

Alter = Callable[[dict[str, Any]], dict[str, Any]]

JOB, FIRST_RUN = 5, 1000


class Killed(BaseException):
    """The task's process ends here."""


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        answer: What answers a start request: bytes, None to close the connection, "silence", or "right".
        effect_after: Seconds until that request has its effect, or None if it never has.
        count: How many start requests go wrong; the others are answered as they should be.
        lag: Seconds for which the list does not show a new run.
        clock: How far dbt Cloud's clock is ahead.
        has_date: Whether answers have a `Date` header.
        listed: What the list makes of a run.
        single: What the answer about a single run makes of it.
        newer: Runs of others that begin after each run.
        list_status: The status of lists.
        kill: Kills the task when the first start request has arrived.
    """

    answer: bytes | str | None = "right"
    effect_after: float | None = 0.0
    count: int = 1
    lag: float = 0.0
    clock: timedelta = timedelta(0)
    has_date: bool = True
    listed: Alter = dict
    single: Alter = dict
    newer: int = 0
    list_status: int = 200
    kill: bool = False


@dataclass
class UnreliableDbtCloud:
    """The server.

    Attributes:
        now: Seconds since its start.
        posts: How many start requests have come.
        answered: Whether one was answered as it should be.
        runs: The runs that it has started or is going to start, but none of others.
        killed: Set when it has killed the task.
    """

    server: RawServer
    faults: Faults
    now: float = 0.0
    posts: int = 0
    answered: bool = False
    runs: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    killed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.server.reply = self._reply
        self._began = datetime.now(UTC)
        self._task = threading.get_ident()
        signal.signal(signal.SIGUSR1, self._kill)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def _kill(self, *_: object) -> None:
        self.killed.set()
        raise Killed

    def _reply(self, request: Received) -> bytes | None:
        url = urlsplit(request.target)
        if request.method == "POST":
            return self._start(request)
        if not url.path.endswith("/runs/"):
            return self._one(int(url.path.rstrip("/").rpartition("/")[2]))
        return self._list(int(parse_qs(url.query)["offset"][0]))

    def _start(self, request: Received) -> bytes | None:
        self.posts += 1
        faulty = self.posts <= self.faults.count
        after = self.faults.effect_after if faulty else 0.0
        run = self._add(json.loads(request.body)["cause"], after) if after is not None else None
        if faulty and self.faults.kill:
            signal.pthread_kill(self._task, signal.SIGUSR1)
            self.killed.wait(10)
            return None
        if faulty and self.faults.answer == "silence":
            self.killed.wait(5)
            return None
        if faulty and not isinstance(self.faults.answer, str):
            return self.faults.answer
        self.answered = True
        return self._answer(self._shown(run) if run else None)

    def _add(self, cause: str, after: float) -> dict[str, Any]:
        began = self.now + after
        run = self._run(FIRST_RUN + len(self.runs), cause, began)
        self.runs.append(run)
        self.others += [self._run(10 * FIRST_RUN + n, "By hand", began) for n in range(self.faults.newer)]
        return run

    def _run(self, run_id: int, cause: str, began: float) -> dict[str, Any]:
        created = self._began + timedelta(seconds=began) + self.faults.clock
        return {
            "id": run_id,
            "status": 3,
            "job_definition_id": JOB,
            "href": f"https://example.com/runs/{run_id}/",
            "created_at": created.isoformat(sep=" "),
            "retrying_run_id": None,
            "trigger": {"cause": cause},
            "began": began,
        }

    def _shown(self, run: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in run.items() if name != "began"}

    def _one(self, run_id: int) -> bytes:
        runs = (run for run in [*self.runs, *self.others] if run["id"] == run_id and run["began"] <= self.now)
        run = next(runs, None)
        return self._answer(self.faults.single(self._shown(run)) if run else None, 200 if run else 404)

    def _list(self, offset: int) -> bytes:
        known = [*self.others[::-1], *self.runs[::-1]]
        seen = [self._shown(run) for run in known if run["began"] + self.faults.lag <= self.now]
        rows = [self.faults.listed(run) for run in seen[offset : offset + 100]]
        return self._answer(rows, self.faults.list_status, total=len(seen))

    def _answer(self, data: Any, status: int = 200, total: int | None = None) -> bytes:
        date = self._began + timedelta(seconds=self.now) + self.faults.clock
        headers = {"Date": format_datetime(date)} if self.faults.has_date else {}
        return answer(envelope(data, total=total), status, headers)

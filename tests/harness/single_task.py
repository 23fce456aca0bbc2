"""Runs a DAG of one task by Airflow's own task runner, with the Execution API in memory, not on a database.

The task does what it does on a worker: templates are rendered, a deferral's trigger is serialised and run,
XComs are serialised, and an exception becomes a state. Only the scheduler and the database are missing.
`run_dag` has both, and takes ten times as long.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from inline_airflow import Outcome, plain_log

DEFERRED, UP_FOR_RETRY, FAILED = "deferred", "up_for_retry", "failed"
OF_A_RUN = ("success", "skipped")


@pytest.fixture
def run_task(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[Any], Outcome]]:
    """Runs the only task of a DAG to its end, through deferrals and retries."""

    def run(dag: Any) -> Outcome:
        [task] = dag.tasks
        api = ExecutionApi(dag.dag_id, task)
        capfd.readouterr()
        state = api.run()
        log = plain_log(capfd)
        ended = "success" if state in OF_A_RUN else FAILED
        return Outcome(dag.dag_id, api.run_id, ended, {task.task_id: state}, log, lambda _: api.xcoms)

    return run


@dataclass
class ExecutionApi:
    """Airflow's Execution API for the tries of one task: what they ask, and what they leave."""

    dag_id: str
    task: Any
    xcoms: dict[str, Any] = field(default_factory=dict)
    try_number: int = 1
    resumed: dict[str, Any] = field(default_factory=dict)
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    @property
    def run_id(self) -> str:
        """The id of the DAG run."""
        return f"manual__{self.began}"

    def run(self) -> str:
        """Run the task until it has ended, and return its state."""
        while True:
            state = self._try()
            if state == UP_FOR_RETRY:
                self.try_number += 1
            elif state != DEFERRED:
                return state

    def _try(self) -> str:
        from airflow.sdk import TaskInstanceState
        from airflow.sdk.api.client import Client
        from airflow.sdk.api.datamodels._generated import TaskInstance
        from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor

        instance = TaskInstance(
            id=uuid4(),
            task_id=self.task.task_id,
            dag_id=self.dag_id,
            run_id=self.run_id,
            try_number=self.try_number,
            map_index=-1,
            dag_version_id=uuid4(),
        )
        client = Client(base_url=None, token="", dry_run=True, transport=httpx.MockTransport(self._answer))
        try:
            result = InProcessTestSupervisor.start(what=instance, task=self.task, client=client)
        except Exception:  # noqa: BLE001 - so does `dag.test()` with what an operator raises beside the task runner
            structlog.get_logger("task").exception("The task runner failed")
            return FAILED
        self.resumed = {}
        state = TaskInstanceState(result.ti.state).value
        if state == DEFERRED:
            self._run_trigger(result.msg, instance)
        return state

    def _run_trigger(self, deferral: Any, instance: Any) -> None:
        """Run the trigger of a deferral to its first event, as the triggerer would."""
        from airflow.sdk._shared.module_loading import import_string
        from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor
        from airflow.sdk.serde import deserialize, serialize

        trigger = import_string(deferral.classpath)(**deserialize(deferral.trigger_kwargs))
        event = InProcessTestSupervisor.run_trigger_in_process(trigger=trigger, ti=instance)
        kwargs = {"event": serialize(event.payload)} if event else deferral.next_kwargs
        self.resumed = {"next_method": deferral.next_method, "next_kwargs": kwargs}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        resource, *rest = request.url.path.strip("/").split("/")
        if resource == "xcoms":
            if rest[-1] == "slice":
                return httpx.Response(200, json=[self.xcoms[rest[-2]]] if rest[-2] in self.xcoms else [])
            return self._xcom(request.method, rest[-1], request.content)
        if resource in ("connections", "variables"):
            return httpx.Response(404, json={"detail": {"reason": "not_found"}})
        if rest[-1] == "run":
            return httpx.Response(200, json=self._context())
        return httpx.Response(200, json={"inactive_assets": []})

    def _xcom(self, method: str, key: str, content: bytes) -> httpx.Response:
        if method == "POST":
            self.xcoms[key] = json.loads(content)
        elif method == "DELETE":
            self.xcoms.pop(key, None)
        elif key not in self.xcoms:
            return httpx.Response(404, json={"detail": {"reason": "not_found"}})
        return httpx.Response(200, json={"key": key, "value": self.xcoms.get(key)})

    def _context(self) -> dict[str, Any]:
        run = {"dag_id": self.dag_id, "run_id": self.run_id, "run_type": "manual", "state": "running"}
        moments = ("logical_date", "data_interval_start", "data_interval_end", "run_after", "start_date")
        run |= dict.fromkeys(moments, self.began)
        run |= {"end_date": None, "partition_key": None, "consumed_asset_events": [], "conf": {}}
        return {
            "dag_run": run,
            "max_tries": self.task.retries,
            "should_retry": self.try_number <= self.task.retries,
            # A first try of a run finds nothing, and a resumed one keeps what it has pushed.
            "xcom_keys_to_clear": [] if self.resumed else list(self.xcoms),
            **self.resumed,
        }

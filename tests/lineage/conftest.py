"""OpenLineage switched on, writing its events into a file; a job whose run leaves given artifacts; a task."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator


@pytest.fixture
def emitted(tmp_path, monkeypatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Returns every OpenLineage event that Airflow and this provider have emitted so far."""
    from airflow.providers.openlineage.plugins import listener

    file = tmp_path / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(file), "append": True}
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", json.dumps(transport))
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT", "120")
    _forget()
    own = listener.get_openlineage_listener()
    _listeners().add_listener(own)
    yield lambda: [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    _listeners().pm.unregister(own)
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    """Let OpenLineage read its configuration again, which it otherwise reads once per process."""
    from airflow.providers.openlineage import conf
    from airflow.providers.openlineage.plugins import listener

    for kept in (*vars(conf).values(), listener.get_openlineage_listener):
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


def _listeners() -> Any:
    """The manager of Airflow's listeners in tasks."""
    try:
        from airflow.sdk.listener import get_listener_manager
    except ImportError:  # before Airflow 3.2
        from airflow.listeners.listener import get_listener_manager
    return get_listener_manager()


@pytest.fixture
def shop(dbt_cloud) -> Callable[..., int]:
    """Seeds a job of two `dbt run` steps and a docs step, whose run leaves what is given; gives its id.

    A successful step that leaves nothing is waited for, so tests of one step leave the others out.
    """

    def seed(artifacts: dict[str, Any], outcome: int = 10, indexes: tuple[int, ...] = (0, 1, 2)) -> int:
        commands = [
            "dbt run --vars '{x: 1.5}'",
            "dbt run --select path:models/orders.sql",
            "dbt docs generate",
        ]
        steps = [{"name": f"Invoke dbt with `{each}`", "seconds": 0, "outcome": 10} for each in commands]
        steps = [steps[index] for index in indexes]
        script = {"running": 0, "outcome": outcome, "steps": steps, "artifacts": artifacts}
        dbt_cloud.control.seed(
            jobs=[{"id": 70, "name": "Nightly", "project_id": 1, "environment_id": 1, "pretend": script}]
        )
        return 70

    return seed


@pytest.fixture
def build(run_dag, prompt_triggers):
    """Runs the operator by the name of `build` in the DAG `nightly`."""

    def run(operator=DbtCloudRunJobOperator, **arguments):
        with DAG("nightly", schedule=None) as dag:
            operator(task_id="build", **arguments)
        return run_dag(dag)

    return run

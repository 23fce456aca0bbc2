"""Runs DAGs in this process by `dag.test()`, on a home and a database of the test session's own."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

BUNDLE = "dags-folder"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Airflow reads this when it is first imported, which any test module or conftest may do.
HOME = tempfile.mkdtemp(prefix="airflow-home-")
os.environ |= {"AIRFLOW_HOME": HOME, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
Path(HOME, "dags").mkdir()


@atexit.register
def _tidy() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@dataclass(frozen=True)
class Outcome:
    """What became of a DAG run, and everything that was logged meanwhile."""

    dag_id: str
    run_id: str
    state: str
    states: dict[str, str]
    log: str
    xcoms: Callable[[str], dict[str, Any]]
    """What a task pushed, by key; of a mapped task in lists, in the order of the map indexes."""


@pytest.fixture(scope="session")
def migrated_database() -> None:
    """The tables of this session's Airflow."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def run_dag(migrated_database: None, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """Runs a DAG to its end as `dag.test()` does; keyword arguments go there."""

    def run(dag: Any, **kwargs: Any) -> Outcome:
        _store(dag)
        capfd.readouterr()
        run = dag.test(**kwargs)
        tasks = run.get_task_instances()
        states = {_name(task): str(task.state) for task in sorted(tasks, key=_name)}
        xcoms = partial(_xcoms_by_key, dag.dag_id, run.run_id)
        return Outcome(dag.dag_id, run.run_id, str(run.state), states, plain_log(capfd), xcoms)

    return run


@pytest.fixture
def prompt_triggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triggers poll at once: `dag.test()` has no scheduler that has to store the deferral first."""
    # Below zero, so that a task whose deadline passes before it defers, on a slow machine, still defers.
    monkeypatch.setattr("airflow_dbt_cloud.tasks.deferral.FIRST_POLL_DELAY", -0.05)


def plain_log(capfd: pytest.CaptureFixture[str]) -> str:
    """Return what was logged since the last call, without colours, and print it for pytest's own report."""
    log = _COLOURS.sub("", "".join(capfd.readouterr()))
    print(log)  # noqa: T201 - pytest shows it where the test fails
    return log


def _name(task: Any) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"


def dags_in(path: Path) -> dict[str, Any]:
    """The DAGs of a file, as Airflow reads it."""
    bag = _dag_bag(path)
    assert not bag.import_errors, bag.import_errors
    return bag.dags


def _dag_bag(path: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.2
        from airflow.models.dagbag import DagBag
    return DagBag(dag_folder=str(path))


def _store(dag: Any) -> None:
    """Put a DAG into the database, as the DAG processor would have done with its file."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    bag = _dag_bag(Path(os.devnull))
    bag.dags[dag.dag_id] = dag
    DagBundlesManager().sync_bundles_to_db()
    sys.modules[type(bag).__module__].sync_bag_to_db(bag, BUNDLE, None)


def _xcoms_by_key(dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in _xcoms(dag_id, run_id, task_id):
        if row.map_index >= 0:
            found.setdefault(row.key, []).append(row.value)
        else:
            found[row.key] = row.value
    return found


def _xcoms(dag_id: str, run_id: str, task_id: str) -> list[Any]:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = XComModel.get_many(run_id=run_id, dag_ids=[dag_id], task_ids=[task_id])
        rows = session.scalars(query).all()
        session.expunge_all()
    return sorted(rows, key=lambda row: row.map_index)

"""Runs a real `airflow triggerer` over deferred tasks on a database of its own; see `main`."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

MESSAGES = "messages.log"
OWN = "TriggerStateChanges"


def fill(told: dict[str, Any]) -> None:
    """Put the connection, a DAG run and its deferred tasks with their triggers into the database."""
    from airflow.models import Connection
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session

    make = import_module(f"{told['package']}.triggers.dbt").DbtCloudRunJobTrigger
    with create_session() as session:
        session.add(Connection(**told["connection"]))  # noqa: AIR311 -- a row, not what tasks see
        for task, run_id in zip(tasks(session, len(told["runs"])), told["runs"], strict=True):
            trigger = Trigger.from_object(
                make(
                    conn_id="dbt_cloud_default",
                    run_id=run_id,
                    end_time=time.time() + 86_400,
                    poll_interval=told["poll"],
                    account_id=None,
                )
            )
            session.add_all((trigger, task))
            session.flush()
            task.state, task.trigger_id, task.next_method = "deferred", trigger.id, "execute_complete"
            task.try_number = 1


def tasks(session: Any, count: int) -> list[Any]:
    """Task instances of the one task, as if it were mapped so many times."""
    from airflow.models.taskinstance import TaskInstance

    run = dag_run(session)
    [first] = run.get_task_instances(session=session)
    place = {"run_id": run.run_id, "dag_version_id": first.dag_version_id}
    task = run.dag.get_task(first.task_id)
    return [first, *(TaskInstance(task, map_index=index, **place) for index in range(1, count))]


def store_dag() -> None:
    """Put a DAG of one task into the database, as the DAG processor does with its file."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.sdk import DAG, BaseOperator

    with DAG("watched", schedule=None) as dag:
        BaseOperator(task_id="wait")
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(dag_folder=os.devnull)
    bag.dags[dag.dag_id] = dag
    sync_bag_to_db(bag, "dags-folder", None)


def dag_run(session: Any) -> Any:
    """A running run of the DAG."""
    from airflow.models.dagbag import DBDagBag
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    return (
        DBDagBag()
        .get_latest_version_of_dag("watched", session=session)
        .create_dagrun(
            run_id="manual__1",
            run_after=datetime.now(UTC),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
    )


def triggerer() -> None:
    """Be `airflow triggerer`, and note the kind of each message that triggers send to the supervisor."""
    from airflow.__main__ import main as airflow
    from airflow.jobs.triggerer_job_runner import TriggerCommsDecoder

    send, log = TriggerCommsDecoder.asend, Path(MESSAGES).open("ab", buffering=0)  # noqa: SIM115 -- as long as the process

    async def noted(self: Any, message: Any) -> Any:
        if type(message).__name__ != OWN:
            log.write(f"{type(message).__name__}\n".encode())
        return await send(self, message)

    TriggerCommsDecoder.asend = noted
    sys.argv = ["airflow", "triggerer"]
    airflow()


def written() -> int:
    """Bytes of all logs."""
    return sum(log.stat().st_size for log in Path("logs").rglob("*") if log.is_file())


def used(pid: int) -> float:
    """CPU seconds of a process and its children."""
    import psutil

    top = psutil.Process(pid)
    times = [one.cpu_times() for one in (top, *top.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def state(pid: int) -> dict[str, float]:
    """What has been used, sent and written so far."""
    messages = Path(MESSAGES).read_bytes().count(b"\n") if Path(MESSAGES).exists() else 0
    return {"at": time.monotonic(), "cpu": used(pid), "messages": messages, "log": written()}


def main() -> None:
    """Make the database, fill it, run the triggerer, and write what it used once it has settled."""
    told = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
    store_dag()
    fill(told)
    watching = subprocess.Popen([sys.executable, __file__, "triggerer"], start_new_session=True)
    try:
        time.sleep(told["settle"])
        before = state(watching.pid)
        print('"measuring"', file=answers, flush=True)
        time.sleep(told["seconds"])
        after = state(watching.pid)
        print(json.dumps({name: after[name] - before[name] for name in before}), file=answers, flush=True)
    finally:
        watching.terminate()
        watching.wait(timeout=60)


if __name__ == "__main__":
    triggerer() if sys.argv[1:] == ["triggerer"] else main()

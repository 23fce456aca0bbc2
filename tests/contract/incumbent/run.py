"""Runs every DAG of `dags.py` in this environment's Airflow, and writes what came of them into a file."""

import json
import sys
from pathlib import Path

import dags
from airflow.sdk import DAG


def outcome(dag: DAG) -> dict[str, object]:
    run = dag.test()
    instances = run.get_task_instances()
    return {
        "state": run.state,
        "tasks": {ti.task_id: ti.state for ti in instances},
        "returned": {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in instances},
        "urls": {ti.task_id: ti.xcom_pull(task_ids=ti.task_id, key="job_run_url") for ti in instances},
    }


def main() -> None:
    known = [value for value in vars(dags).values() if isinstance(value, DAG)]
    Path(sys.argv[1]).write_text(json.dumps({dag.dag_id: outcome(dag) for dag in known}))


if __name__ == "__main__":
    main()

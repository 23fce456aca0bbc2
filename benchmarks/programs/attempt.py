"""One try of a task that runs a dbt Cloud job, in either provider's environment; see `main`."""

import json
import os
import sys
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any


def context(told: dict[str, Any], operator: Any) -> dict[str, Any]:
    """What Airflow tells a task of its try, as far as operators of either provider ask."""
    ti = SimpleNamespace(
        dag_id="nightly",
        task_id=operator.task_id,
        run_id="scheduled__1",
        map_index=-1,
        try_number=told["try"],
        max_tries=1,
        xcom_push=lambda **_: None,
    )
    started = datetime.fromisoformat(told["dag_run_start"]).astimezone(UTC)
    dag_run = SimpleNamespace(start_date=started, run_id=ti.run_id, dag_id=ti.dag_id)
    return {"ti": ti, "task_instance": ti, "dag_run": dag_run, "task": operator}


def main() -> None:
    """Run the operator's `execute` and write whether it succeeded."""
    from airflow.sdk import DAG

    told = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Airflow logs there
    run_job = import_module(f"{told['package']}.operators.dbt").DbtCloudRunJobOperator
    with DAG("nightly", schedule=None):
        operator = run_job(
            task_id="build",
            job_id=told["job"],
            check_interval=1,
            deferrable=False,
            hook_params=told["hook_params"],
        )
    try:
        operator.execute(context(told, operator))
    except Exception as error:  # noqa: BLE001 -- Airflow would fail the try, whatever it is
        answer = {"succeeded": False, "why": f"{type(error).__name__}: {error}"[:300]}
    else:
        answer = {"succeeded": True}
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""One list of runs by either provider: `list_runs.py '{"package": …, "by": "hook", "arguments": {…}}'`."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def memory(field: str) -> float:
    """MiB of this process: VmRSS is the present, VmHWM the peak; macOS knows the peak only."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith(f"{field}:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measured(rows_of: Callable[[], int]) -> dict[str, Any]:
    """Read the list: seconds, MiB at the peak beyond those before, and how many rows it has."""
    if (peak := Path("/proc/self/clear_refs")).exists():
        peak.write_text("5")
    before, begun = memory("VmRSS"), time.perf_counter()
    rows = rows_of()
    took = time.perf_counter() - begun
    return {"seconds": took, "rss": memory("VmHWM") - before, "rows": rows}


def by_operator(operator: Any, ti: Any) -> int:
    """Execute the operator; how many rows it returned."""
    returned = operator.execute({"ti": ti, "task_instance": ti})
    return len(returned) if isinstance(returned, list) else int(returned is not None)


def by_hook(hook: Any, arguments: dict[str, Any]) -> int:
    """Have the hook list the runs, and read its pages one after the other; how many rows they have."""
    return sum(len(page.json()["data"]) for page in hook.list_job_runs(**arguments))


def main() -> None:
    """Import, ask once for one run, so that connection and imports are there, then measure the list."""
    told = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Airflow logs there
    from airflow.sdk import DAG

    kind = import_module(f"{told['package']}.operators.dbt").DbtCloudListJobRunsOperator
    with DAG("lists", schedule=None):
        first = kind(task_id="first", job_id=told["warm_up_job"])
        listing = kind(task_id="list", **(told["arguments"] if told["by"] == "operator" else {}))
    ti = SimpleNamespace(xcom_push=lambda **_: None)
    first.execute({"ti": ti})
    hook = import_module(f"{told['package']}.hooks.dbt").DbtCloudHook()
    print(json.dumps("ready"), file=answers, flush=True)
    sys.stdin.readline()
    by = {
        "operator": lambda: by_operator(listing, ti),
        "hook": lambda: by_hook(hook, told["arguments"]),
    }
    print(json.dumps(measured(by[told["by"]])), file=answers, flush=True)


if __name__ == "__main__":
    main()

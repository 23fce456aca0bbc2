"""One list of runs by the operator of either provider: `list_runs.py '{"package": …, "arguments": {…}}'`."""

import json
import os
import resource
import sys
import time
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


def measured(operator: Any, ti: Any) -> dict[str, Any]:
    """Execute the operator: seconds, MiB at the peak beyond those before, and how many rows it returned."""
    if (peak := Path("/proc/self/clear_refs")).exists():
        peak.write_text("5")
    before, begun = memory("VmRSS"), time.perf_counter()
    returned = operator.execute({"ti": ti, "task_instance": ti})
    took = time.perf_counter() - begun
    rows = len(returned) if isinstance(returned, list) else int(returned is not None)
    return {"seconds": took, "rss": memory("VmHWM") - before, "rows": rows}


def main() -> None:
    """Import, ask once for one run, so that connection and imports are there, then measure the list."""
    told = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Airflow logs there
    from airflow.sdk import DAG

    kind = import_module(f"{told['package']}.operators.dbt").DbtCloudListJobRunsOperator
    with DAG("lists", schedule=None):
        first = kind(task_id="first", job_id=told["warm_up_job"])
        listing = kind(task_id="list", **told["arguments"])
    ti = SimpleNamespace(xcom_push=lambda **_: None)
    first.execute({"ti": ti})
    print(json.dumps("ready"), file=answers, flush=True)
    sys.stdin.readline()
    print(json.dumps(measured(listing, ti)), file=answers, flush=True)


if __name__ == "__main__":
    main()

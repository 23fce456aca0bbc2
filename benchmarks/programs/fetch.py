"""Fetches artifacts in either provider's environment, or plainly; see `WAYS` and `main`."""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

RUN = 7
PIECE = 256 * 1024


def plainly(told: dict[str, Any], names: list[str]) -> None:
    """Stream with requests to a file, as short as it can be written."""
    requests = import_module("requests")
    for name in names:
        url = f"{told['url']}/api/v2/accounts/1/runs/{RUN}/artifacts/{name}"
        with requests.get(url, stream=True, timeout=60) as answer, Path(name).open("wb") as file:
            file.writelines(answer.iter_content(PIECE))


def by_operator(told: dict[str, Any], names: list[str]) -> None:
    """One task for each."""
    kind = import_module(f"{told['package']}.operators.dbt").DbtCloudGetJobRunArtifactOperator
    for index, name in enumerate(names):
        kind(task_id=f"t{index}", run_id=RUN, path=name, output_file_name=name).execute({})


def by_one_task(told: dict[str, Any], names: list[str]) -> None:
    """One task for all."""
    kind = import_module(f"{told['package']}.operators.dbt").DbtCloudGetJobRunArtifactOperator
    kind(task_id="t", run_id=RUN, paths=names, output_path="all").execute({})


def on_a_loop(told: dict[str, Any], names: list[str]) -> None:
    """By the hook, in an event loop, to files."""
    hook = import_module(f"{told['package']}.hooks.dbt").DbtCloudHook()
    asyncio.run(hook.download_job_run_artifacts_concurrently(RUN, {name: name for name in names}))


def as_json(told: dict[str, Any], names: list[str]) -> None:
    """By the hook, in an event loop, as JSON values."""
    hook = import_module(f"{told['package']}.hooks.dbt").DbtCloudHook()
    asyncio.run(hook.get_job_run_artifacts_concurrently(RUN, names))


WAYS = {
    "plain": plainly,
    "operator": by_operator,
    "one task": by_one_task,
    "loop": on_a_loop,
    "as JSON": as_json,
}


def settle() -> int:
    """Leave Airflow's own modules to rest, and begin to count the peak anew; kilobytes of memory used now."""
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")
        return memory("VmRSS")
    return memory("VmHWM")


def memory(what: str) -> int:
    """Kilobytes of memory: VmRSS now, VmHWM at the most (elsewhere than on Linux always that)."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Fetch one small artifact, so that all is imported and connected to, and then what was asked for."""
    told = json.loads(sys.argv[1])
    os.chdir(told["folder"])
    WAYS[told["way"]](told, ["manifest-0.json", "sized-1.bin"][: 1 if told["way"] == "as JSON" else 2])
    before = settle()
    begun, worked = time.perf_counter(), time.process_time()
    WAYS[told["way"]](told, told["names"])
    seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    mebibytes = (memory("VmHWM") - before) / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mebibytes": max(mebibytes, 0.0)}), flush=True)


if __name__ == "__main__":
    main()

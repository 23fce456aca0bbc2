"""Watches runs as a triggerer or as workers do, in either provider's environment; see `main`."""

import asyncio
import gc
import json
import os
import resource
import selectors
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

BATCH = 50

# The modules that the process has imported before anything is measured, as a triggerer has.
BEFOREHAND = ("{}.triggers.dbt", "{}.hooks.dbt", "aiohttp", "airflow.providers.common.compat.connection")


class Seen:
    """When each run's end was noticed, and as what; how long the event loop stood still at the most."""

    def __init__(self) -> None:
        self.ends: dict[int, tuple[float, str]] = {}
        self.stall = 0.0

    def end(self, run_id: int, status: str) -> None:
        self.ends[run_id] = (time.time(), status)


class StallMeter(selectors.DefaultSelector):
    """Measures how long the event loop stays away from its selector at most.

    It costs next to nothing. A task that wakes every 20 ms, as this benchmark had before, costs half a CPU
    second a minute, which was counted as the provider's.
    """

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen
        self.left_at: float | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self.left_at is not None:
            self._seen.stall = max(self._seen.stall, time.perf_counter() - self.left_at)
        ready = super().select(timeout)
        self.left_at = time.perf_counter()
        return ready


async def watch_one(trigger: Any, seen: Seen) -> None:
    """Wait for a trigger's event."""
    async for event in trigger.run():
        told = event.payload
        seen.end(trigger.run_id, told["status"])
        return


async def deferred(told: dict[str, Any], seen: Seen) -> None:
    """Watch all runs by triggers in one event loop, made in batches as a triggerer makes them."""
    make = import_module(f"{told['package']}.triggers.dbt").DbtCloudRunJobTrigger
    await settle(frozen=told["frozen"])
    await asyncio.sleep(0)  # the meter counts the turn of the loop in which this was imported and collected
    told["before"] = before()
    seen.stall = 0.0
    begun, tasks = time.monotonic(), set()
    for place, run_id in enumerate(told["runs"]):
        trigger = make(
            conn_id="dbt_cloud_default",
            run_id=run_id,
            end_time=time.time() + 86_400,
            poll_interval=told["poll"],
            account_id=None,
            hook_params=told["hook_params"],
        )
        tasks.add(asyncio.create_task(watch_one(trigger, seen)))
        if place % BATCH == BATCH - 1:
            await asyncio.sleep(0)
    rotation = asyncio.create_task(rotate(told.get("rotate")))
    await asyncio.wait(tasks, timeout=told["seconds"] - (time.monotonic() - begun))
    for task in (*tasks, rotation):
        task.cancel()
    told["figures"] = figures(told["before"], seen)
    await asyncio.gather(*tasks, rotation, return_exceptions=True)


async def settle(*, frozen: bool) -> None:
    """Import what a triggerer has long since imported for connections.

    Args:
        frozen: Whether to leave Airflow's own modules out of garbage collection. A triggerer does not; a full
            collection of these 180,000 objects takes 0.1 s and more, whoever the provider is.
    """
    await import_module("airflow.providers.common.compat.connection").get_async_connection(
        "dbt_cloud_default"
    )
    gc.collect()
    if frozen:
        gc.freeze()


async def rotate(when: dict[str, Any] | None) -> None:
    """Put another token into the connection after some seconds."""
    if when:
        await asyncio.sleep(when["after"])
        name = "AIRFLOW_CONN_DBT_CLOUD_DEFAULT"
        os.environ[name] = json.dumps({**json.loads(os.environ[name]), "password": when["token"]})


def worker(told: dict[str, Any], run_id: int, seen: Seen) -> None:
    """Wait for one run as an operator does that is not deferred."""
    hook = import_module(f"{told['package']}.hooks.dbt").DbtCloudHook(**told["hook_params"])
    try:
        succeeded = hook.wait_for_job_run_status(
            run_id, check_interval=told["poll"], timeout=told["seconds"] * 2
        )
    except Exception as error:  # noqa: BLE001 -- whatever a wait ends with is what is counted
        print(repr(error)[:300], file=sys.stderr)
        seen.end(run_id, "error")
    else:
        seen.end(run_id, "success" if succeeded else "error")


def workers(told: dict[str, Any], seen: Seen) -> None:
    """Watch each run in a thread of its own."""
    threads = [
        threading.Thread(target=worker, args=(told, run_id, seen), daemon=True) for run_id in told["runs"]
    ]
    told["before"] = before()
    deadline = time.monotonic() + told["seconds"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    told["figures"] = figures(told["before"], seen)


def memory(field: str) -> float:
    """MiB of this process: VmRSS is the present, VmHWM the peak; macOS knows the peak only."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith(f"{field}:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def before() -> dict[str, float]:
    """What the process has used so far; its peak of memory begins anew."""
    if (peak := Path("/proc/self/clear_refs")).exists():
        peak.write_text("5")
    return {"cpu": time.process_time(), "rss": memory("VmRSS")}


def figures(start: dict[str, float], seen: Seen) -> dict[str, Any]:
    """What the process has used since, and what it has seen."""
    return {
        "cpu": time.process_time() - start["cpu"],
        "rss": memory("VmHWM") - start["rss"],
        "stall": seen.stall,
        "ends": {str(run_id): end for run_id, end in seen.ends.items()},
    }


def main() -> None:
    """Import, say "ready", read which runs to watch, watch them, and write what was measured."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    told = json.loads(sys.argv[1])
    for module in BEFOREHAND:
        import_module(module.format(told["package"]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Airflow logs there
    print('"ready"', file=answers, flush=True)
    told["runs"] = json.loads(sys.stdin.readline())
    seen = Seen()
    if told["mode"] == "deferred":
        meter = StallMeter(seen)
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(meter)) as runner:
            runner.run(deferred(told, seen))
    else:
        workers(told, seen)
    print(json.dumps(told["figures"]), file=answers, flush=True)
    os._exit(0)  # what still waits in threads is not waited for


if __name__ == "__main__":
    main()

"""One watch: a provider's process watches simulated runs, and both it and dbt Cloud are asked for figures."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cloud import Cloud
from benchmarks.providers import Program, Provider

FIRST_END, SPARE = 5.0, 5.0


@dataclass(frozen=True)
class Plan:
    """What is watched.

    Attributes:
        count: Runs.
        seconds: How long they are watched; their ends are spread over it, but for `FIRST_END` and `SPARE`.
        poll: Seconds between two polls of a run.
        mode: "deferred" (triggers in one event loop) or "worker" (a thread for each).
        hook_params: Arguments of the hook.
        rotate: `{"after": seconds, "token": …}`: puts another token into the client's connection.
        spread: Seconds of the first and the last end, where they are not `seconds`'s.
        age: Seconds since the runs were created.
        frozen: Whether Airflow's own objects are left out of garbage collection.
    """

    count: int
    seconds: float = 65.0
    poll: float = 5.0
    mode: str = "deferred"
    hook_params: dict[str, Any] = field(default_factory=dict)
    rotate: dict[str, Any] | None = None
    spread: tuple[float, float] | None = None
    age: float = 600.0
    frozen: bool = True


@dataclass(frozen=True)
class Watched:
    """What was measured.

    Attributes:
        cpu: Seconds of the client's process.
        rss: MiB that the client's memory grew by at its peak.
        stall: Seconds that the client's event loop stood still at the most.
        lateness: Seconds from each run's end to its being noticed; of those that were not, until the watch's
            end. Sorted.
        failed: Runs of which anything but their success was told.
        unseen: Runs whose end was not noticed in time.
        counted: The server's counters at the end of the watch.
        refused: How many requests the rate limit refused.
    """

    cpu: float
    rss: float
    stall: float
    lateness: list[float]
    failed: int
    unseen: int
    counted: dict[str, Any]
    refused: int

    def late(self, share: float) -> float:
        """The lateness that a share of the runs does not exceed."""
        return self.lateness[min(len(self.lateness) - 1, math.ceil(share * len(self.lateness)) - 1)]


def watch(
    provider: Provider, cloud: Cloud, plan: Plan, meanwhile: Callable[[Cloud], None] | None = None
) -> Watched:
    """Watch as planned; `meanwhile` is what happens to dbt Cloud while that goes on."""
    told = {"package": provider.package, "poll": plan.poll, "seconds": plan.seconds, "mode": plan.mode}
    told |= {"hook_params": plan.hook_params, "rotate": plan.rotate, "frozen": plan.frozen}
    with Program(provider, "watch.py", told, cloud.environment) as client:
        client.hear()
        ends = cloud.seed_runs(plan.count, *(plan.spread or (FIRST_END, plan.seconds - SPARE)), age=plan.age)
        client.tell(list(ends))
        event = threading.Thread(target=meanwhile, args=(cloud,), daemon=True) if meanwhile else None
        if event:
            event.start()
        heard = client.hear()
        if event:
            event.join()
        counted, refused = cloud.counters(), cloud.ask("GET", "rate_limit")["refused"]
    return _measured(heard, ends, counted, refused)


def _measured(
    heard: dict[str, Any], ends: dict[int, float], counted: dict[str, Any], refused: int
) -> Watched:
    noticed = {int(run_id): end for run_id, end in heard["ends"].items()}
    told_right = {run_id: at for run_id, (at, status) in noticed.items() if status == "success"}
    over = max(ends.values()) + SPARE
    lateness = sorted(
        told_right.get(run_id, over) - end
        for run_id, end in ends.items()
        if run_id not in noticed or run_id in told_right
    )
    failed, unseen = len(noticed) - len(told_right), len(ends) - len(noticed)
    return Watched(
        heard["cpu"], heard["rss"], heard["stall"], lateness or [math.nan], failed, unseen, counted, refused
    )

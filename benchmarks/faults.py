"""Waits under faults: `python -m benchmarks.faults --kinds 500 --rates 0.1`.

200 waits poll once a second, about 16 times each, while a share of the responses goes wrong. No dbt run
fails. So a wait that fails, or that does not notice its run's end in time, is a false alarm.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

from benchmarks import tables
from benchmarks.cloud import Cloud
from benchmarks.providers import Provider, both
from benchmarks.watching import Plan, watch

KINDS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "reset": {"kind": "reset"},
    "cut body": {"kind": "cut"},
    "HTML": {"kind": "html"},
    "timeout": {"kind": "delay", "seconds": 4},
    "404 after start": {"kind": "not_found_after_start", "seconds": 10},
}
OUTAGE = 5.0
MODES = ("deferred", "worker")


def plan(mode: str, waits: int) -> Plan:
    """200 new runs that end after 15 to 18 s, and time to notice it."""
    hook_params = {"timeout_seconds": 2}
    return Plan(waits, 45.0, 1.0, mode, hook_params, spread=(15.0, 18.0), age=0.0)


def unavailable(cloud: Cloud) -> None:
    """dbt Cloud answers 503 for a while."""
    time.sleep(5)
    cloud.fault(kind="status", status=503)
    time.sleep(OUTAGE)
    cloud.ask("DELETE", "faults")


def unreachable(cloud: Cloud) -> None:
    """Connections to dbt Cloud are refused for a while."""
    time.sleep(5)
    cloud.stop()
    time.sleep(OUTAGE)
    cloud.start()


def failed(
    provider: Provider, plan: Plan, rule: dict[str, Any], meanwhile: Callable[[Cloud], None] | None
) -> int:
    """How many waits failed without cause."""
    with Cloud() as cloud:
        if rule:
            cloud.fault(**rule)
        seen = watch(provider, cloud, plan, meanwhile)
    return seen.failed + seen.unseen


def cases(
    kinds: list[str], rates: list[float]
) -> Iterator[tuple[str, dict[str, Any], Callable[[Cloud], None] | None]]:
    """What goes wrong: its name, a rule for dbt Cloud, or what happens to dbt Cloud."""
    for kind, rate in product(kinds, rates):
        yield f"{kind}, {rate:.0%}", KINDS[kind] | {"rate": rate}, None
    yield f"{OUTAGE:g} s of 503", {}, unavailable
    yield f"{OUTAGE:g} s of refused connections", {}, unreachable


def needed(provider: Provider, mode: str, fault: str) -> bool:
    """Whether a cell is measured by default: the other provider's worker does the same for most faults."""
    return not (provider.is_replaced and mode == "worker") or fault.startswith(("500", f"{OUTAGE:g} s"))


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdict; 1 where a wait of ours fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--waits", type=int, default=200)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01, 0.1])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    parser.add_argument("--all", action="store_true", help="the other provider's worker under each fault too")
    told = parser.parse_args(arguments)
    providers = both()[: 1 if told.ours else 2]
    cells = list(product(providers, told.modes))
    print(f"Of {told.waits} waits failed without cause.\n")
    print(tables.header("fault", *(f"{provider.name}, {mode}" for provider, mode in cells)))
    worst = 0
    for name, rule, meanwhile in cases(told.kinds, told.rates):
        with ThreadPoolExecutor() as pool:
            doing = [
                pool.submit(failed, who, plan(mode, told.waits), rule, meanwhile)
                for who, mode in cells
                if told.all or needed(who, mode, name)
            ]
            counts = [each.result() for each in doing]
        print(tables.row((name, *counts, *("" for _ in cells[len(counts) :]))), flush=True)
        worst = max(worst, *counts[: len(told.modes)])
    print()
    return tables.judged([("Waits of ours that failed without cause, at the most", worst, 0)])


if __name__ == "__main__":
    raise SystemExit(main())

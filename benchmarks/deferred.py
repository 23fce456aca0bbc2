"""Thousands of deferred runs in one process: `python -m benchmarks.deferred --runs 1000 5000`.

Triggers of each provider watch simulated runs of a local dbt Cloud behind TLS, in one event loop, asking
every five seconds. The runs end evenly spread over the watch, and dbt Cloud knows when.
"""

import argparse
from collections.abc import Iterator
from itertools import product

from benchmarks import tables
from benchmarks.cloud import Cloud
from benchmarks.providers import Provider, both
from benchmarks.watching import Plan, Watched, watch

POLL = 5.0
COLUMNS = (
    "runs",
    "provider",
    "garbage collector",
    "requests",
    "connections",
    "CPU s",
    "RSS growth MiB",
    "stall s",
    "late p50 s",
    "late p99 s",
    "failed",
    "unseen",
    "load",
)


def row(count: int, provider: Provider, seen: Watched, *, frozen: bool) -> str:
    """One line of the table."""
    figures = (tables.number(seen.cpu, 2), tables.number(seen.rss), tables.number(seen.stall, 2))
    late = (tables.number(seen.late(0.5)), tables.number(seen.late(0.99)))
    wire = (f"{seen.counted['requests']:,}", f"{seen.counted['connections']:,}")
    which = (f"{count:,}", provider.name, "frozen" if frozen else "not frozen")
    return tables.row((*which, *wire, *figures, *late, seen.failed, seen.unseen, tables.load()))


def limits(count: int, seen: Watched, *, frozen: bool) -> Iterator[tuple[str, float, float]]:
    """What must be reached with so many runs: what, the figure, the most it may be."""
    runs = f"{count:,} runs, {'frozen' if frozen else 'not frozen'}"
    yield f"{runs}, failed or unseen", seen.failed + seen.unseen, 0
    if count == 1_000:
        yield f"{runs}, requests", seen.counted["requests"], 110
        yield f"{runs}, connections", seen.counted["connections"], 4
        yield f"{runs}, CPU s", seen.cpu, 0.9
    if count == 5_000:
        yield f"{runs}, stall s", seen.stall, 0.1 if frozen else 0.15
        yield f"{runs}, RSS growth MiB", seen.rss, 60
    yield f"{runs}, p99 lateness s", seen.late(0.99), POLL + 1


def main(arguments: list[str] | None = None) -> int:
    """Print the table, the ratios and the verdicts; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deferred", description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1_000, 5_000, 10_000])
    parser.add_argument("--seconds", type=float, default=65.0, help="of each watch (default: %(default)s)")
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    told = parser.parse_args(arguments)
    print(f"Deferred runs, a poll every {POLL:g} s, {told.seconds:g} s, TLS, one process.\n")
    print(tables.header(*COLUMNS))
    kept: list[tuple[str, float, float]] = []
    ratios: list[str] = []
    for count, frozen in product(told.runs, (True, False)):
        cpu: list[float] = []
        for provider in both()[: 1 if told.ours else 2]:
            with Cloud() as cloud:
                seen = watch(provider, cloud, Plan(count, told.seconds, POLL, frozen=frozen))
            print(row(count, provider, seen, frozen=frozen), flush=True)
            cpu.append(seen.cpu)
            if not provider.is_replaced:
                kept += limits(count, seen, frozen=frozen)
        if len(cpu) == 2:
            state = "frozen" if frozen else "not frozen"
            ratios.append(f"{count:,} runs, {state}: {cpu[0] / cpu[1]:.3f} of the other provider's CPU time")
    print("\n" + "\n".join([*ratios, ""]))
    return tables.judged(kept)


if __name__ == "__main__":
    raise SystemExit(main())

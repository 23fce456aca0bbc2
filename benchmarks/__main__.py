"""Runs every benchmark with its defaults, or those that are named: `python -m benchmarks [import_cost …]`."""

import sys
from importlib import import_module

ALL = (
    "import_cost",
    "deferred",
    "conditions",
    "faults",
    "crash_matrix",
    "triggerer",
    "artifacts",
    "lists",
    "client",
)


def main(names: list[str]) -> int:
    """Run one after the other; 1 where any missed its limit."""
    if unknown := set(names) - set(ALL):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. Choose from: {', '.join(ALL)}.")
        return 2
    missed = 0
    for name in names or ALL:
        missed |= import_module(f"benchmarks.{name}").main([])
    return missed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

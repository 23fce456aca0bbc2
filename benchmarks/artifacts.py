"""Artifacts of any size: `python -m benchmarks.artifacts`.

Fetched from a server in another process, over TLS, to files: one of a GiB beside plain streaming of the same
bytes, a manifest of 200 MiB beside the other provider, and ten that each come late.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks import tables
from benchmarks.cloud import Cloud
from benchmarks.providers import Program, Provider, both

MOST_MEBIBYTES, MOST_TIMES, MOST_SECONDS = 25.0, 1.3, 0.6
LATE = [f"late-{index}.json" for index in range(10)]


class Store(Cloud):
    """Serves artifacts and nothing else of dbt Cloud."""

    program = Path(__file__).parent / "programs" / "artifact_store.py"

    def __enter__(self) -> Self:
        self.start()
        return self


@dataclass(frozen=True)
class Fetched:
    """What it took: seconds, seconds of CPU, and MiB of memory beyond what a small artifact takes."""

    seconds: float
    cpu: float
    mebibytes: float


def fetch(provider: Provider, store: Store, way: str, names: Sequence[str]) -> Fetched:
    """Fetch artifacts once, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-artifacts-") as folder:
        told = {
            "package": provider.package,
            "way": way,
            "names": list(names),
            "folder": folder,
            "url": store.url,
        }
        with Program(provider, "fetch.py", told, store.environment) as program:
            return Fetched(**program.hear())


def typical(takes: Sequence[Fetched]) -> Fetched:
    """The medians of several."""
    return Fetched(
        *(
            statistics.median(getattr(take, name) for take in takes)
            for name in ("seconds", "cpu", "mebibytes")
        )
    )


def show(what: str, who: str, fetched: Fetched) -> None:
    """Print a row."""
    figures = (fetched.seconds, fetched.cpu, fetched.mebibytes)
    print(tables.row((what, who, *(tables.number(figure, 2) for figure in figures))), flush=True)


def large(ours: Provider, store: Store, mebibytes: int, rounds: int) -> list[tuple[str, float, float]]:
    """One large artifact, in turns with plain streaming."""
    name, what = [f"sized-{mebibytes}.bin"], f"{mebibytes:,} MiB"
    takes = [[fetch(ours, store, way, name) for way in ("plain", "operator", "loop")] for _ in range(rounds)]
    plain, operator, loop = (typical(column) for column in zip(*takes, strict=True))
    show(what, "plain streaming with requests", plain)
    show(what, "airflow-dbt-cloud, operator", operator)
    show(what, "airflow-dbt-cloud, event loop", loop)
    return [
        (f"{what}: MiB of memory", operator.mebibytes, MOST_MEBIBYTES),
        (f"{what}, event loop: MiB of memory", loop.mebibytes, MOST_MEBIBYTES),
        (f"{what}: times plain streaming", operator.seconds / plain.seconds, MOST_TIMES),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdicts; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.artifacts", description=__doc__)
    parser.add_argument("--large", type=int, default=1024, help="MiB of the large one (default: %(default)s)")
    parser.add_argument(
        "--manifest", type=int, default=200, help="MiB of the manifest (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of the large one (default: %(default)s)")
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    told = parser.parse_args(arguments)
    ours, theirs = both()
    print("To files, over TLS; medians. Memory is what is added to a process that has fetched a small one.\n")
    print(tables.header("artifacts", "by", "seconds", "CPU s", "MiB added"))
    with Store() as store:
        kept = large(ours, store, told.large, told.rounds)
        manifest, what = [f"manifest-{told.manifest}.json"], f"manifest of {told.manifest} MiB"
        for provider in [ours] if told.ours else [ours, theirs]:
            show(what, f"{provider.name}, operator", fetch(provider, store, "operator", manifest))
        late = fetch(ours, store, "one task", LATE)
        show("10, each 0.2 s late", "airflow-dbt-cloud, operator", late)
        for provider in [ours] if told.ours else [ours, theirs]:
            show("10, each 0.2 s late", f"{provider.name}, as JSON", fetch(provider, store, "as JSON", LATE))
    print(f"\n{tables.load()}")
    return tables.judged([*kept, ("10 artifacts, each 0.2 s late: seconds", late.seconds, MOST_SECONDS)])


if __name__ == "__main__":
    raise SystemExit(main())

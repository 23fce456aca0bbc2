"""Deferred runs under conditions that dbt Cloud sets: `python -m benchmarks.conditions --only limit token`.

1,000 triggers in one event loop, a poll every five seconds, as in `benchmarks.deferred`, while dbt Cloud
refuses the filter `pk__in`, limits requests as documented, has its limit used up, or takes another token.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import tables
from benchmarks.cloud import Cloud
from benchmarks.deferred import POLL
from benchmarks.providers import both
from benchmarks.watching import Plan, Watched, watch

RUNS, SECONDS = 1_000, 65.0
ROTATED_AFTER = 20.0
NEXT_TOKEN = "another-made-up-token"
USUAL = Plan(RUNS, SECONDS, POLL)


@dataclass(frozen=True)
class Condition:
    """What dbt Cloud does.

    Attributes:
        title: What it is.
        plan: What is watched.
        before: Sets it up.
        meanwhile: What happens during the watch.
        concerns_both: Whether the other provider meets it.
    """

    title: str
    plan: Plan = USUAL
    before: Callable[[Cloud], object] = bool
    meanwhile: Callable[[Cloud], None] | None = None
    concerns_both: bool = True


def limited(per_minute: int, cooldown: float) -> Callable[[Cloud], object]:
    """So many requests a minute, then 429 for some seconds."""
    limit = {"per_minute": per_minute, "cooldown": cooldown}
    return lambda cloud: cloud.ask("POST", "rate_limit", limit)


def take_another_token(cloud: Cloud) -> None:
    """Start anew with another token, a second after it was put into the connection."""
    time.sleep(ROTATED_AFTER + 1)
    cloud.token = NEXT_TOKEN
    cloud.stop()
    cloud.start()


CONDITIONS = {
    "pk__in": Condition(
        "`pk__in` refused", before=lambda cloud: cloud.fault(kind="refuse_pk__in"), concerns_both=False
    ),
    "limit": Condition("the documented limit: 5,000 a minute, then 300 s of 429", before=limited(5_000, 300)),
    "used_up": Condition(
        "a limit that is reached (scaled: 50 a minute, then 15 s of 429)",
        Plan(RUNS, 240.0, POLL, spread=(5.0, 60.0)),
        before=limited(50, 15),
    ),
    "token": Condition(
        f"token rotated after {ROTATED_AFTER:g} s",
        Plan(RUNS, SECONDS, POLL, rotate={"after": ROTATED_AFTER, "token": NEXT_TOKEN}),
        meanwhile=take_another_token,
    ),
}


def limits(name: str, condition: Condition, seen: Watched) -> Iterator[tuple[str, float, float]]:
    """What must be reached: what, the figure, the most it may be."""
    yield f"{condition.title}: failed or unseen", seen.failed + seen.unseen, 0
    if name == "pk__in":
        yield f"{condition.title}: requests a minute", seen.counted["requests"] * 60 / SECONDS, 2_000
        yield f"{condition.title}: p99 lateness s", seen.late(0.99), POLL + 2
    if name == "limit":
        yield f"{condition.title}: requests refused", seen.refused, 0


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdicts; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conditions", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    told = parser.parse_args(arguments)
    print(f"{RUNS:,} deferred runs, a poll every {POLL:g} s.\n")
    columns = ("condition", "provider", "requests", "answers", "CPU s", "late p99 s", "failed", "unseen")
    print(tables.header(*columns))
    kept: list[tuple[str, float, float]] = []
    for name in told.only:
        condition = CONDITIONS[name]
        for provider in both()[: 2 if condition.concerns_both and not told.ours else 1]:
            with Cloud() as cloud:
                condition.before(cloud)
                seen = watch(provider, cloud, condition.plan, condition.meanwhile)
            answers = ", ".join(f"{status}: {count:,}" for status, count in seen.counted["answers"].items())
            figures = (f"{seen.counted['requests']:,}", answers, tables.number(seen.cpu))
            late = tables.number(seen.late(0.99))
            print(tables.row((condition.title, provider.name, *figures, late, seen.failed, seen.unseen)))
            if not provider.is_replaced:
                kept += limits(name, condition, seen)
    print()
    return tables.judged(kept)


if __name__ == "__main__":
    raise SystemExit(main())

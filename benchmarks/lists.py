"""Lists of runs by both providers: `python -m benchmarks.lists --runs 10000`.

dbt Cloud has 10,000 finished runs. Measured are the newest of them (`latest_only`) and all of them: the pages
of the hook's `list_job_runs`, read one after the other; whole rows by the operator; and by the operator rows
cut to the fields of an alert, which the other provider has no way to ask for. Each list is read without
delay, where the local dbt Cloud's one process is the bottleneck, and with 0.2 s before each answer, as over a
network.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from benchmarks import tables
from benchmarks.cloud import JOB, Cloud
from benchmarks.providers import Program, Provider, both

DELAY = 0.2
FIELDS = ["id", "status", "finished_at", "href"]
COLUMNS = ("list", "delay s", "provider", "rows", "requests", "seconds", "RSS growth MiB", "load")
PAGE_SECONDS = 0.05
ENDED = "order_by=-finished_at&status__in=[10]"


@dataclass(frozen=True)
class Listed:
    """What became of one list."""

    rows: int
    requests: int
    seconds: float
    rss: float


def listed(
    provider: Provider, cloud: Cloud, arguments: Mapping[str, Any], delay: float, by: str = "operator"
) -> Listed:
    """Have a provider's operator or hook list runs in a process of its own."""
    told = {"package": provider.package, "by": by, "arguments": dict(arguments), "warm_up_job": JOB + 1}
    with Program(provider, "list_runs.py", told, cloud.environment) as program:
        program.hear()
        cloud.clear()
        if delay:
            cloud.fault(kind="delay", seconds=delay, route="*/runs/*")
        program.tell("go")
        seen = program.hear()
    requests = cloud.counters()["requests"]
    cloud.clear()
    return Listed(seen["rows"], requests, seen["seconds"], seen["rss"])


def page_seconds(cloud: Cloud) -> float:
    """How long the local dbt Cloud takes for a page, the longest of several orders and places."""
    longest = 0.0
    with requests.Session() as session:
        session.verify, session.trust_env = cloud.authority, False
        session.headers["Authorization"] = f"Token {cloud.token}"
        for query in ("limit=1", "order_by=-created_at", "order_by=id&offset=9900", ENDED):
            begun = time.perf_counter()
            url = f"{cloud.url}/api/v2/accounts/1/runs/?{query}"
            session.get(url, timeout=60).raise_for_status()
            longest = max(longest, time.perf_counter() - begun)
    return longest


def compare(
    cloud: Cloud, count: int, providers: list[Provider], delay: float
) -> list[tuple[str, float, float]]:
    """Print the rows of the table for one delay; give what must be reached."""
    seen: dict[str, Listed] = {}

    def show(what: str, provider: Provider, arguments: Mapping[str, Any], by: str = "operator") -> None:
        found = listed(provider, cloud, arguments, delay, by)
        figures = (
            f"{found.rows:,}",
            found.requests,
            tables.number(found.seconds, 2),
            tables.number(found.rss),
        )
        print(tables.row((what, delay, provider.name, *figures, tables.load())), flush=True)
        seen[f"{what} {'there' if provider.is_replaced else 'here'}"] = found

    for provider in providers:
        show("newest", provider, {"latest_only": True, "job_id": JOB})
        show("all, pages", provider, {"order_by": "id"}, "hook")
        show("all, whole", provider, {"order_by": "id"} | ({} if provider.is_replaced else {"limit": count}))
        if not provider.is_replaced:
            show("all, cut to fields", provider, {"order_by": "id", "limit": count, "fields": FIELDS})
    limits = [(f"newest, delay {delay:g} s, requests", float(seen["newest here"].requests), 1.0)]
    if (there := seen.get("all, whole there")) is None or not delay:
        return limits
    pages, whole, cut = seen["all, pages here"], seen["all, whole here"], seen["all, cut to fields here"]
    return [
        *limits,
        ("all, pages, part of the other's seconds", pages.seconds / seen["all, pages there"].seconds, 1 / 3),
        ("all, pages, part of the other's memory", pages.rss / seen["all, pages there"].rss, 1 / 3),
        ("all, whole, part of the other's seconds", whole.seconds / there.seconds, 1 / 3),
        ("all, cut to fields, part of the other's seconds", cut.seconds / there.seconds, 1 / 3),
        ("all, cut to fields, part of the other's memory", cut.rss / there.rss, 1 / 3),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdicts; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    chosen = parser.parse_args(arguments)
    providers = [each for each in both() if not (chosen.ours and each.is_replaced)]
    with Cloud() as cloud:
        cloud.ask("POST", "seed", {"jobs": [{"id": JOB + 1, "name": "Another", "pretend": {}}]})
        life = {"running": 30, "outcome": 10}
        cloud.ask(
            "POST",
            "seed",
            {"runs": [{"job_id": JOB, "count": chosen.runs, "age": 1e6, "every": 60, "pretend": life}]},
        )
        limits = [("a page of the local dbt Cloud, s", page_seconds(cloud), PAGE_SECONDS)]
        print(tables.header(*COLUMNS))
        for delay in (0.0, DELAY):
            limits += compare(cloud, chosen.runs, providers, delay)
    print()
    return tables.judged(limits)


if __name__ == "__main__":
    raise SystemExit(main())

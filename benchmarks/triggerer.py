"""1,000 deferred tasks in a real `airflow triggerer`: `python -m benchmarks.triggerer --runs 200`.

The triggerer runs on PostgreSQL; the connection to dbt Cloud is in the database and has an extra. There is no
scheduler: the tasks, their DAG run and their triggers are put into the database as deferred ones. What is
measured is a while after all triggers have begun to poll.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks import incumbent, tables
from benchmarks.cloud import Cloud
from benchmarks.deferred import POLL
from benchmarks.providers import Program, Provider, both

DRIVERS = ("psycopg2", "psycopg2_binary.libs", "asyncpg")
sys.path.append(str(incumbent.ROOT / "tests" / "harness"))


@contextmanager
def drivers() -> Iterator[str]:
    """A folder with the database drivers alone, which the other provider's environment does not have."""
    [place] = find_spec("psycopg2").submodule_search_locations  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        for name in DRIVERS:
            Path(folder, name).symlink_to(Path(place).parent / name)
        yield folder


def measured(provider: Provider, told: argparse.Namespace) -> dict[str, float]:
    """CPU %, messages and bytes of log per poll of a run."""
    from real_airflow.postgres import database

    with Cloud() as cloud, database() as url, drivers() as folder:
        runs = list(cloud.seed_runs(told.runs, 3_600, 3_700))
        connection = json.loads(cloud.environment["AIRFLOW_CONN_DBT_CLOUD_DEFAULT"])
        connection |= {"conn_id": "dbt_cloud_default", "extra": json.dumps({"proxies": {}})}
        asked = {"package": provider.package, "runs": runs, "poll": POLL, "connection": connection}
        asked |= {"settle": told.settle, "seconds": told.seconds}
        variables = {
            name: value for name, value in cloud.environment.items() if not name.startswith("AIRFLOW")
        }
        variables |= {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": "0",
            "PYTHONPATH": os.pathsep.join((str(incumbent.ROOT), folder)),
        }
        with Program(provider, "triggerer.py", asked, variables) as program:
            program.hear()
            cloud.clear()
            used = program.hear()
            requests = cloud.counters()["requests"]
    polls = requests if provider.is_replaced else told.runs * used["at"] / POLL
    return {
        "cpu": 100 * used["cpu"] / used["at"],
        "requests": requests,
        "polls": polls,
        "messages": used["messages"] / polls,
        "log": used["log"] / polls,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the verdicts; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggerer", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--settle", type=float, default=120.0, help="seconds before (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured (default: %(default)s)")
    parser.add_argument("--ours", action="store_true", help="leave the other provider out")
    told = parser.parse_args(arguments)
    print(f"{told.runs:,} deferred tasks in a real triggerer, a poll every {POLL:g} s.\n")
    columns = ("provider", "CPU %", "requests", "polls", "messages per poll", "log bytes per poll", "load")
    print(tables.header(*columns))
    results = []
    for provider in both()[: 1 if told.ours else 2]:
        seen = measured(provider, told)
        results.append(seen)
        counts = (tables.number(seen["requests"], 0), tables.number(seen["polls"], 0))
        rates = (tables.number(seen["messages"], 2), tables.number(seen["log"]))
        row = (provider.name, tables.number(seen["cpu"]), *counts, *rates, tables.load())
        print(tables.row(row), flush=True)
    print()
    ours = results[0]
    return tables.judged(
        [
            ("CPU %", ours["cpu"], 10),
            ("messages per poll", ours["messages"], 0),
            ("log bytes", ours["log"], 0),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())

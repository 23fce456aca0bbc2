"""``airflow-dbt-cloud prepare``: make dbt's environment now, so that no run has to wait for it."""

import argparse
import asyncio
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "prepare",
        help="install dbt Core into its own environment ahead of the first run",
        description="Installs dbt Core and dbt-duckdb into an environment of their own, as the first run of"
        " a local dbt Cloud would. For images, and for machines that are offline later."
        " $AIRFLOW_DBT_CLOUD_HOME says where; by default it is in the user's cache.",
    )
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Make the environment and print where it is and what is in it."""
    from airflow_dbt_cloud.runner import environment

    made = asyncio.run(environment.make(progress=print))
    for name in ("dbt-core", "dbt-duckdb", "duckdb"):
        print(f"{name} {made.version(name)}")
    print(made.dbt)
    return 0

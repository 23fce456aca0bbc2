"""``dbtcloud prepare``: make dbt's environment now, so that no run has to wait for it."""

import argparse
import asyncio
import re
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "prepare",
        help="install dbt Core into its own environment ahead of the first run",
        description="Installs dbt Core and dbt-duckdb into an environment of their own, as the first run of"
        " a local dbt Cloud would. For images, and for machines that are offline later."
        " $DBTCLOUD_HOME says where; by default it is in the user's cache.",
    )
    parser.add_argument("--dbt-version", metavar="VERSION", help="such as 1.11 (default: the newest of them)")
    parser.add_argument(
        "--adapter",
        action="append",
        metavar="PACKAGE",
        help="such as dbt-postgres (default: dbt-duckdb); may be given several times",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the environment and print where it is and what is in it."""
    from dbtcloud.core import environment
    from dbtcloud.core.requirements import DUCKDB, requirements

    wanted = requirements(arguments.dbt_version, arguments.adapter or (DUCKDB,))
    made = asyncio.run(environment.make(wanted, progress=print))
    for name in (re.split(r"[^\w.-]", requirement)[0] for requirement in wanted):
        print(f"{name} {made.version(name)}")
    print(made.dbt)
    return 0

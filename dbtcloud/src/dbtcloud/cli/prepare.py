"""``dbtcloud prepare``: create the environment of dbt before the first run."""

import argparse
import asyncio
import re
from typing import Any


def add_prepare_command(commands: Any) -> None:
    """Add the command to the subparsers of the program."""
    parser = commands.add_parser(
        "prepare",
        help="install dbt Core before the first run",
        description="Install dbt Core and dbt-duckdb into a virtual environment, as the first run of a local"
        " dbt Cloud does. Use this in container images, and before a machine goes offline. The environment is"
        " in the user's cache, or in $DBTCLOUD_HOME if it is set.",
    )
    parser.add_argument("--dbt-version", metavar="VERSION", help="for example 1.11 (default: the newest)")
    parser.add_argument(
        "--adapter",
        action="append",
        metavar="PACKAGE",
        help="for example dbt-postgres (default: dbt-duckdb); repeat it for several adapters",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from dbtcloud.core.environment import create_environment
    from dbtcloud.core.requirements import DUCKDB, resolve_requirements

    requirements = resolve_requirements(arguments.dbt_version, arguments.adapter or (DUCKDB,))
    environment = asyncio.run(create_environment(requirements, progress=print))
    for name in (re.split(r"[^\w.-]", requirement)[0] for requirement in requirements):
        print(f"{name} {environment.version(name)}")
    print(environment.dbt)
    return 0

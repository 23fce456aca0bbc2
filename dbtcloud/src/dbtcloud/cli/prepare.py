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
        description="Install dbt Core and its adapters into a virtual environment. Otherwise the first run of"
        " a local dbt Cloud installs them. Use this command when you build a container image, and before a"
        " machine goes offline. The environment is in $DBTCLOUD_HOME, else in the user's cache.",
    )
    parser.add_argument(
        "--dbt-version",
        metavar="VERSION",
        help="version of dbt, such as 1.11 (default: the newest supported)",
    )
    parser.add_argument(
        "--adapter",
        action="append",
        metavar="PACKAGE",
        help="adapter to install, such as dbt-postgres (default: dbt-duckdb); repeat the option for several",
    )
    parser.add_argument(
        "--with",
        action="append",
        metavar="PACKAGE",
        help="package to install beside dbt, such as pandas, for Python models; repeat the option for"
        " several",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from dbtcloud.core.environment import DbtEnvironment
    from dbtcloud.core.requirements import DUCKDB, resolve_requirements

    packages = getattr(arguments, "with") or ()
    requirements = resolve_requirements(arguments.dbt_version, arguments.adapter or (DUCKDB,), packages)
    environment = asyncio.run(DbtEnvironment.create(requirements, progress=print))
    for name in (re.split(r"[^\w.-]", requirement)[0] for requirement in requirements):
        print(f"{name} {environment.version(name)}")
    print(environment.dbt)
    return 0

"""The console script ``airflow-dbt-cloud``."""

import argparse
import sys
from collections.abc import Sequence

import airflow_dbt_cloud
from airflow_dbt_cloud.cli import prepare, serve
from airflow_dbt_cloud.cli.errors import expected_errors

_COMMANDS = (serve, prepare)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 with a message on standard error; 130 for Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except expected_errors() as error:
        print(f"airflow-dbt-cloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airflow-dbt-cloud", description=airflow_dbt_cloud.__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {airflow_dbt_cloud.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser

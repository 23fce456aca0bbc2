"""The console script ``dbtcloud``, which the provider also installs as ``airflow-dbt-cloud``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import dbtcloud
from dbtcloud.cli import prepare, serve
from dbtcloud.cli.expected_errors import expected_errors

_COMMANDS = (serve, prepare)
_NAMES = ("dbtcloud", "airflow-dbt-cloud")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 with a message on standard error; 130 for Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except expected_errors() as error:
        print(f"dbtcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    called = Path(sys.argv[0]).name
    program = called if called in _NAMES else _NAMES[0]
    parser = argparse.ArgumentParser(prog=program, description=dbtcloud.__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {dbtcloud.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser

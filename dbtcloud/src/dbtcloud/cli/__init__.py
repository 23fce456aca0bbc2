"""The console script ``dbtcloud``, which the provider also installs as ``airflow-dbt-cloud``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dbtcloud.cli.prepare import add_prepare_command
from dbtcloud.cli.serve import add_serve_command
from dbtcloud.version import __version__

_PROGRAM_NAMES = ("dbtcloud", "airflow-dbt-cloud")
_DESCRIPTION = "Run a dbt Cloud on your own machine. Its jobs run dbt Core."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0, 1 after an error message on standard error, or 130 after Ctrl-C.
    """
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except _expected_errors() as error:
        print(f"dbtcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    called = Path(sys.argv[0]).name
    program = called if called in _PROGRAM_NAMES else _PROGRAM_NAMES[0]
    parser = argparse.ArgumentParser(prog=program, description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_serve_command(commands)
    add_prepare_command(commands)
    return parser


def _expected_errors() -> tuple[type[Exception], ...]:
    # Imported only after an error, so that `--help` stays fast.
    from dbtcloud.core.runner_errors import RunnerError
    from dbtcloud.local.model.api_errors import LocalServerError

    return (RunnerError, LocalServerError)

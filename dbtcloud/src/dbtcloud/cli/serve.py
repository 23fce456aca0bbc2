"""``dbtcloud serve``: run a local dbt Cloud until it is stopped."""

import argparse
import asyncio
import json
import os
import secrets
import shlex
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dbtcloud.cli.project_options import ProjectOptions

_TOKEN_VARIABLE = "DBTCLOUD_TOKEN"  # noqa: S105 - a name of a variable
_ACCOUNT_ID = 1
_START_SECONDS = 900.0


def add_serve_command(commands: Any) -> None:
    """Add the command to the subparsers of the program."""
    parser = commands.add_parser(
        "serve",
        help="run a local dbt Cloud whose jobs run dbt Core",
        description="Run a local dbt Cloud with the Admin API and the Discovery API until Ctrl-C. It has your"
        " dbt projects, or a sample project on DuckDB. Its jobs run dbt Core.",
    )
    _add_server_options(parser)
    ProjectOptions.add_to(parser)
    parser.set_defaults(run=_run, parser=parser)


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8580,
        help="port to listen on, or 0 for any free port (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get(_TOKEN_VARIABLE),
        help=f"API token of the server (default: ${_TOKEN_VARIABLE}, which other users of the machine cannot"
        " see, else a random one, which is printed)",
    )
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="folder for state, databases and artifacts (default: a folder in $DBTCLOUD_HOME, else in the"
        " user's cache)",
    )
    state.add_argument(
        "--memory", action="store_true", help="keep the state in memory, and lose it when the server stops"
    )
    parser.add_argument(
        "--keep-artifacts",
        metavar="SIZE",
        help="limit for the artifacts of finished runs, such as 500MB; the oldest are deleted first"
        " (default: 2GB)",
    )
    parser.add_argument(
        "--schedules", action="store_true", help="start jobs by their schedules, and when other jobs complete"
    )
    parser.add_argument(
        "--tls-certificate",
        type=Path,
        metavar="FILE",
        help="serve HTTPS with the certificate in this PEM file",
    )
    parser.add_argument(
        "--tls-key",
        type=Path,
        metavar="FILE",
        help="PEM file of the private key (default: the file of the certificate)",
    )
    parser.add_argument("--pid-file-dir", type=Path, help=argparse.SUPPRESS)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--background",
        action="store_true",
        help="start the server in the background, and return when it is ready",
    )
    mode.add_argument(
        "--stop",
        action="store_true",
        help="stop the background server that was started with the same --data-dir, --memory or project",
    )
    mode.add_argument(
        "--link",
        action="store_true",
        help="print a new link to the pages of the server that runs with the same --data-dir or project; a"
        " link works once",
    )


def _run(arguments: argparse.Namespace) -> int:
    from dbtcloud.core.runner_errors import MissingExtra

    ProjectOptions(arguments).check(arguments.parser)
    if arguments.tls_key and not arguments.tls_certificate:
        arguments.parser.error("--tls-key needs --tls-certificate")
    MissingExtra.check()
    if arguments.stop:
        return _stop(arguments)
    if arguments.link:
        return _print_link(arguments)
    return _start_in_background(arguments) if arguments.background else _serve(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    from dbtcloud.cli.server_settings import server_settings
    from dbtcloud.local.server.background import PidFile
    from dbtcloud.local.server.serve import RunningServer

    async def serve() -> None:
        settings = await server_settings(arguments, _data_dir(arguments), _print_progress)
        folder = arguments.pid_file_dir or settings.data_dir

        def pid_file(server: RunningServer) -> AbstractContextManager[None]:
            return PidFile.written(folder, os.getpid(), server.url, server.control_token_file)

        await RunningServer.serve_forever(settings, announce, pid_file)

    token_is_known = bool(arguments.token)

    def announce(server: RunningServer) -> None:
        token = "<your token>" if token_is_known else server.token
        _announce(server.url, token, server.control.page_link())
        print("Ctrl-C or SIGTERM stops the server.", flush=True)

    asyncio.run(serve())
    print("Stopped.")
    return 0


def _start_in_background(arguments: argparse.Namespace) -> int:
    from dbtcloud.local.server.background import BackgroundServer

    folder = _data_dir(arguments) or _memory_pid_file_dir()
    background = BackgroundServer(folder)
    token = arguments.token or f"local_{secrets.token_urlsafe(24)}"
    # The installer and git may take minutes.
    print(f"Starting in the background. Log file: {background.log_file}", file=sys.stderr)
    command = ["serve", *_server_arguments(arguments, folder), *ProjectOptions(arguments).as_arguments()]
    server = background.start(command, {_TOKEN_VARIABLE: token}, _START_SECONDS, _print_hint)
    _announce(server.url, "<your token>" if arguments.token else token, server.page_link())
    state = "--memory" if arguments.memory else f"--data-dir {shlex.quote(str(folder))}"
    print(f"Stop the server with: dbtcloud serve --stop {state}", flush=True)
    return 0


def _server_arguments(arguments: argparse.Namespace, folder: Path) -> list[str]:
    # Without the token: other users of this machine can see the arguments of a process.
    state = ["--memory", f"--pid-file-dir={folder}"] if arguments.memory else [f"--data-dir={folder}"]
    retention = [f"--keep-artifacts={arguments.keep_artifacts}"] if arguments.keep_artifacts else []
    schedules = ["--schedules"] if arguments.schedules else []
    tls = [f"--tls-{name}={file}" for name, file in _tls_files(arguments).items() if file]
    return [f"--host={arguments.host}", f"--port={arguments.port}", *state, *retention, *schedules, *tls]


def _stop(arguments: argparse.Namespace) -> int:
    from dbtcloud.local.server.background import BackgroundServer

    server = BackgroundServer(_data_dir(arguments) or _memory_pid_file_dir()).stop()
    print(f"Stopped the local dbt Cloud on {server.url}.")
    return 0


def _print_link(arguments: argparse.Namespace) -> int:
    from dbtcloud.local.server.background import BackgroundServer

    print(BackgroundServer(_data_dir(arguments) or _memory_pid_file_dir()).pid_file().page_link())
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _data_dir(arguments: argparse.Namespace) -> Path | None:
    from dbtcloud.core.environment import data_home

    if arguments.memory:
        return None
    folder: Path = arguments.data_dir or data_home() / ProjectOptions(arguments).state_folder_name
    return folder.expanduser().absolute()


def _memory_pid_file_dir() -> Path:
    from dbtcloud.core.environment import data_home

    return data_home() / "memory"


def _tls_files(arguments: argparse.Namespace) -> dict[str, Path | None]:
    return {"certificate": arguments.tls_certificate, "key": arguments.tls_key}


def _print_progress(line: str) -> None:
    print(line, flush=True)


def _print_hint(line: str) -> None:
    # Standard output has the announcement alone.
    print(line, file=sys.stderr, flush=True)


def _announce(url: str, token: str, page_link: str) -> None:
    from dbtcloud.local.server.background import ANNOUNCEMENT

    connection = {"conn_type": "dbt_cloud", "host": url, "login": str(_ACCOUNT_ID), "password": token}
    print(f"{ANNOUNCEMENT} {url}")
    print(f"Its pages open in a browser with this link, once: {page_link}")
    print(f"Account ID: {_ACCOUNT_ID}")
    print("This is its Airflow connection. The password is the API token:")
    print(f"export AIRFLOW_CONN_DBT_CLOUD_DEFAULT={shlex.quote(json.dumps(connection))}")

"""``dbtcloud serve``: dbt Cloud on this machine, until it is stopped."""

import argparse
import asyncio
import json
import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbtcloud.cli import projects

if TYPE_CHECKING:
    from dbtcloud.local.server.serve import RunningServer

TOKEN_VARIABLE = "DBTCLOUD_TOKEN"  # noqa: S105 - a variable's name
_ACCOUNT_ID = 1
_START_SECONDS = 900.0


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "serve",
        help="serve a dbt Cloud on this machine, with dbt Core behind it",
        description="Serves dbt Cloud's Admin API with a project of yours, or a sample project on DuckDB."
        " Their jobs really run dbt Core.",
    )
    _add_server_options(parser)
    projects.add_project_options(parser)
    parser.set_defaults(run=run, parser=parser)


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="interface to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8580,
        help="port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get(TOKEN_VARIABLE),
        help=f"token that clients send (default: ${TOKEN_VARIABLE}, else one is made up and printed)",
    )
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument(
        "--data-dir",
        type=Path,
        help="folder for the store, databases and artifacts (default: one of its own in the user's cache)",
    )
    kept.add_argument("--memory", action="store_true", help="keep nothing: all is gone when the server ends")
    parser.add_argument(
        "--keep-artifacts",
        metavar="SIZE",
        help="size of finished runs' files, beyond which the oldest are thrown away (default: 2GB)",
    )
    parser.add_argument(
        "--schedules", action="store_true", help="start runs by the jobs' cron lines and completion triggers"
    )
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM file: speak https with it")
    parser.add_argument(
        "--tls-key", type=Path, metavar="FILE", help="its private key (default: in the certificate's file)"
    )
    parser.add_argument("--pid-file-dir", type=Path, help=argparse.SUPPRESS)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--background", action="store_true", help="return as soon as it serves; --stop ends it")
    how.add_argument("--stop", action="store_true", help="end the one that serves what the options say")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, or start a server in the background, or end it."""
    from dbtcloud.core import environment

    projects.check(arguments.parser, arguments)
    if arguments.tls_key and not arguments.tls_certificate:
        arguments.parser.error("--tls-key needs --tls-certificate beside it")
    environment.require_extra()
    if arguments.stop:
        return _stop(arguments)
    return _start(arguments) if arguments.background else _serve(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    from dbtcloud.cli.server_settings import assembled
    from dbtcloud.local.server.pid_file import pid_file_in
    from dbtcloud.local.server.serve import serve_forever

    async def serve() -> None:
        settings = await assembled(arguments, _state_folder(arguments), _note)
        folder = arguments.pid_file_dir or settings.data_dir
        await serve_forever(settings, announce, lambda server: pid_file_in(folder, os.getpid(), server.url))

    token_is_known = bool(arguments.token)

    def announce(server: "RunningServer") -> None:
        _announce(server.url, "<your token>" if token_is_known else server.token)
        print("Ctrl-C (or SIGTERM) ends it.", flush=True)

    asyncio.run(serve())
    print("Stopped.")
    return 0


def _start(arguments: argparse.Namespace) -> int:
    from dbtcloud.local.server import background

    folder = _state_folder(arguments) or _pid_file_folder()
    token = arguments.token or f"local_{secrets.token_urlsafe(24)}"
    # What the installer and git do may take a while.
    print(f"Starting in the background, with a log in {background.log_file(folder)}", file=sys.stderr)
    words = ["serve", *_server_words(arguments, folder), *projects.words(arguments)]
    pid_file = background.start_server(words, folder, {TOKEN_VARIABLE: token}, _START_SECONDS)
    _announce(pid_file.url, "<your token>" if arguments.token else token)
    which = "--memory" if arguments.memory else f"--data-dir {shlex.quote(str(folder))}"
    print(f"It serves in the background until: dbtcloud serve --stop {which}", flush=True)
    return 0


def _server_words(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """The options of the server in the background; its token is none of them, since others see these."""
    kept = ["--memory", f"--pid-file-dir={folder}"] if arguments.memory else [f"--data-dir={folder}"]
    sized = [f"--keep-artifacts={arguments.keep_artifacts}"] if arguments.keep_artifacts else []
    timed = ["--schedules"] if arguments.schedules else []
    secured = [f"--tls-{name}={file}" for name, file in _tls_files(arguments).items() if file]
    return [f"--host={arguments.host}", f"--port={arguments.port}", *kept, *sized, *timed, *secured]


def _stop(arguments: argparse.Namespace) -> int:
    from dbtcloud.local.server import background

    pid_file = background.stop_server(_state_folder(arguments) or _pid_file_folder())
    print(f"Stopped the local dbt Cloud on {pid_file.url}.")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _state_folder(arguments: argparse.Namespace) -> Path | None:
    """The folder of the state, None for a server that keeps nothing."""
    from dbtcloud.core import environment

    if arguments.memory:
        return None
    folder: Path = arguments.data_dir or environment.home() / projects.own_folder(arguments)
    return folder.expanduser().absolute()


def _pid_file_folder() -> Path:
    """Return the folder of the PID file of a server that keeps nothing."""
    from dbtcloud.core import environment

    return environment.home() / "memory"


def _tls_files(arguments: argparse.Namespace) -> dict[str, Path | None]:
    return {"certificate": arguments.tls_certificate, "key": arguments.tls_key}


def _note(line: str) -> None:
    print(line, flush=True)


def _announce(url: str, token: str) -> None:
    connection = {"conn_type": "dbt_cloud", "host": url, "login": str(_ACCOUNT_ID), "password": token}
    print(f"dbt Cloud is served on {url}")
    print(f"Account ID: {_ACCOUNT_ID}")
    print("Airflow reaches it with this connection, whose password is the token:")
    print(f"export AIRFLOW_CONN_DBT_CLOUD_DEFAULT={shlex.quote(json.dumps(connection))}")

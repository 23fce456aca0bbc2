"""``airflow-dbt-cloud serve``: dbt Cloud on this machine, until it is stopped."""

import argparse
import asyncio
import json
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dbt_cloud.local.serving import Served
    from airflow_dbt_cloud.local.settings import Settings

_TOKEN_VARIABLE = "AIRFLOW_DBT_CLOUD_TOKEN"  # noqa: S105 - a variable's name
_ACCOUNT_ID = 1


def add_to(commands: Any) -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "serve",
        help="serve a dbt Cloud on this machine, with dbt Core and DuckDB behind it",
        description="Serves dbt Cloud's Admin API with a sample project, whose jobs really run dbt Core.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="interface to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8580,
        help="port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get(_TOKEN_VARIABLE),
        help=f"token that clients send (default: ${_TOKEN_VARIABLE}, else one is made up and printed)",
    )
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument(
        "--data-dir",
        type=Path,
        help="folder for the store, databases and artifacts (default: the user's cache)",
    )
    kept.add_argument("--memory", action="store_true", help="keep nothing: all is gone when the server ends")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    from airflow_dbt_cloud.local.serving import serve_forever
    from airflow_dbt_cloud.runner import environment

    environment.require_extra()
    token_is_known = bool(arguments.token)
    asyncio.run(serve_forever(_settings(arguments), lambda served: _announce(served, token_is_known)))
    print("Stopped.")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _settings(arguments: argparse.Namespace) -> "Settings":
    from airflow_dbt_cloud.local.settings import Settings
    from airflow_dbt_cloud.runner import environment

    settings = Settings(host=arguments.host, port=arguments.port, token=arguments.token or "")
    if arguments.memory:
        return settings
    folder = (arguments.data_dir or environment.home() / "local").absolute()
    return replace(settings, store=str(folder / "dbt_cloud.sqlite"), data_dir=folder)


def _announce(served: "Served", token_is_known: bool) -> None:
    token = "<your token>" if token_is_known else served.token
    connection = {"conn_type": "dbt_cloud", "host": served.url, "login": str(_ACCOUNT_ID), "password": token}
    print(f"dbt Cloud is served on {served.url}")
    print(f"Account ID: {_ACCOUNT_ID}")
    if not token_is_known:
        print(f"Token: {token}")
    print("Airflow reaches it with this connection:")
    print(f"export AIRFLOW_CONN_DBT_CLOUD_DEFAULT={shlex.quote(json.dumps(connection))}")
    print("Ctrl-C (or SIGTERM) ends it.", flush=True)

"""The resources of a server: its port and its store. Errors say what to do."""

import errno
import socket
import sqlite3
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.store.sqlite import SqliteStore


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Port 0 takes a free one.

    Raises:
        LocalServerError: The port is in use, or the address is not one of this machine.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise _port_error(host, port, error) from error


def open_store(path: str) -> SqliteStore:
    """Return the store in memory, or in a file, whose folder is created.

    Raises:
        LocalServerError: Another server uses the file, or it cannot be opened.
    """
    try:
        if path != ":memory:":
            # Logs of runs and values of environment variables are not for other users of this machine.
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(path).touch(mode=0o600)
        return SqliteStore(path)
    except (sqlite3.Error, OSError) as error:
        raise _store_error(path, error) from error


def _port_error(host: str, port: int, error: OSError) -> LocalServerError:
    if error.errno == errno.EADDRINUSE:
        return LocalServerError(
            f"Port {port} on {host} is in use by another program, perhaps another local dbt Cloud. "
            "Stop it, or choose another port with --port (0 takes a free one)."
        )
    return LocalServerError(
        f"The local dbt Cloud cannot listen on {host}:{port}: {error.strerror or error}. "
        "Choose another address with --host and --port."
    )


def _store_error(path: str, error: Exception) -> LocalServerError:
    if "locked" in str(error):
        return LocalServerError(
            f"Another local dbt Cloud uses {path}. Stop it, or give this one a folder of its own with "
            "--data-dir."
        )
    return LocalServerError(
        f"The local dbt Cloud cannot use {path}: {error}. "
        "Give it a folder that you may write to with --data-dir, or move that file away."
    )

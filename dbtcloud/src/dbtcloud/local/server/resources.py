"""What a server opens: its port and its state file; each that cannot be had is told with what to do."""

import errno
import socket
import sqlite3
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.store.sqlite import SqliteStore


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        LocalServerError: when the port is taken, or the address is none of this machine's.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise _not_listening(host, port, error) from error


def open_store(path: str) -> SqliteStore:
    """Return the store in a file, whose folder is made, or in memory.

    Raises:
        LocalServerError: when another server keeps the file, or it cannot be used.
    """
    try:
        if path != ":memory:":
            # What runs have logged, and the values of environment variables, are their owner's business.
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(path).touch(mode=0o600)
        return SqliteStore(path)
    except (sqlite3.Error, OSError) as error:
        raise _not_kept(path, error) from error


def _not_listening(host: str, port: int, error: OSError) -> LocalServerError:
    if error.errno == errno.EADDRINUSE:
        return LocalServerError(
            f"Port {port} on {host} is in use: another program, perhaps another local dbt Cloud, listens "
            "there. Stop it, or choose another port with --port (0 takes a free one)."
        )
    return LocalServerError(
        f"The local dbt Cloud cannot listen on {host}:{port}: {error.strerror or error}. "
        "Choose another address with --host and --port."
    )


def _not_kept(path: str, error: Exception) -> LocalServerError:
    if "locked" in str(error):
        return LocalServerError(
            f"Another local dbt Cloud keeps its state in {path}. Stop it, or give this one a folder of its "
            "own with --data-dir."
        )
    return LocalServerError(
        f"The local dbt Cloud cannot keep its state in {path}: {error}. "
        "Give it a folder that is yours to write with --data-dir, or move that file away."
    )

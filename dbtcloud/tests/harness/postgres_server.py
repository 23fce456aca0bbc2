"""A PostgreSQL database of one's own: on `TEST_POSTGRES_URL`, by pgserver's binaries, or by the machine's."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from sqlalchemy.engine import URL, make_url

from waiting import until

UNPRIVILEGED = "nobody"


class NoPostgresError(Exception):
    """No PostgreSQL can be had on this machine; the text says how to get one."""


@contextmanager
def database() -> Iterator[str]:
    """Create an empty database and yield its SQLAlchemy URL; drop it afterwards."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        with _database_on(make_url(given)) as url:
            yield url
        return
    with _server() as server, _database_on(server) as url:
        yield url


@contextmanager
def _database_on(server: URL) -> Iterator[str]:
    name = f"airflow_{uuid.uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}"')
    try:
        url = server.set(database=name, drivername="postgresql+psycopg2")
        yield url.render_as_string(hide_password=False)
    finally:
        _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(server: URL, statement: str) -> None:
    connection = _connect(server)
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _connect(server: URL) -> psycopg2.extensions.connection:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(plain)
    connection.autocommit = True  # CREATE DATABASE refuses to run in a transaction
    return connection


@contextmanager
def _server() -> Iterator[URL]:
    # A folder of its own in /tmp: pytest's are closed to other users, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        binaries, user = _binaries(folder), _user(folder)
        yield from _serve(binaries, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(binaries: Path, folder: Path, user: dict[str, object]) -> Iterator[URL]:
    data = folder / "data"
    settings = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    subprocess.run([binaries / "initdb", "-D", data, *settings], check=True, cwd=folder, **quiet, **user)
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300"]
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", folder, *options],
        cwd=folder,
        stdout=log,
        stderr=log,
        start_new_session=True,
        **user,
    )
    url = URL.create("postgresql", username="postgres", database="postgres", query={"host": str(folder)})
    try:
        until(lambda: _answers(url, server, folder), timeout=60, what=lambda: "PostgreSQL to answer")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def _answers(url: URL, server: "subprocess.Popen[bytes]", folder: Path) -> bool:
    if server.poll() is not None:
        msg = f"PostgreSQL ended at once:\n{(folder / 'server.log').read_text()}"
        raise RuntimeError(msg)
    try:
        _connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def _user(folder: Path) -> dict[str, object]:
    """Say as whom to run: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    account = pwd.getpwnam(UNPRIVILEGED)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _binaries(folder: Path) -> Path:
    bundled = find_spec("pgserver")
    if bundled and bundled.origin:
        return _reachable(Path(bundled.origin).parent, folder) / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    for found in (shutil.which("initdb"), *installed):
        if found:
            return Path(found).resolve().parent
    msg = (
        "no PostgreSQL: pgserver has no wheel for this Python, TEST_POSTGRES_URL is not set, and there is no "
        "initdb on PATH or below /usr/lib/postgresql. Any one of these will do"
    )
    raise NoPostgresError(msg)


def _reachable(package: Path, folder: Path) -> Path:
    """Give binaries that an unprivileged user can run: root's own folders are closed to it."""
    if os.getuid() != 0:
        return package
    # The binaries find their libraries by a path relative to their own.
    libraries = package.with_name("pgserver.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
    return folder / package.name

"""Serve on an event loop: open the store and the port, start the application, and close everything again."""

import asyncio
import errno
import secrets
import shutil
import signal
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from dbtcloud.core.private_files import private_file
from dbtcloud.local.api.app import make_app
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.seed import Seeder
from dbtcloud.local.control.tokens import Authenticator
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.scheduler import Scheduler
from dbtcloud.local.server.settings import ServerSettings
from dbtcloud.local.store.database import Store

CONTROL_TOKEN_FILE = "control_token"  # noqa: S105 - a name of a file
"""The file in the data folder with the token of the control plane, for as long as the server runs."""

_SHUTDOWN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: its URL.
        token: its token.
        control: its control plane.
        control_token_file: the file with the token of the control plane, which only this user can read.
    """

    url: str
    token: str = field(repr=False)
    control: ControlPlane
    control_token_file: Path

    @classmethod
    @asynccontextmanager
    async def serve(cls, settings: ServerSettings) -> AsyncIterator[Self]:
        """Serve while the context is open.

        Raises:
            LocalServerError: The port is in use, the store cannot be opened, or the settings are not safe.
        """
        settings = settings.checked()
        async with AsyncExitStack() as stack:
            # First of all, so that a port in use is reported before anything is written. Requests that come
            # too early wait in the backlog of the socket.
            bound = stack.enter_context(_bind(settings.host, settings.port))
            cloud = _open_cloud(settings, stack)
            control_token = f"control_{secrets.token_urlsafe(24)}"
            authenticator = Authenticator(settings.token, control_token, on_loopback=settings.on_loopback)
            control = _control_plane(cloud, settings, authenticator)
            # Before queued runs continue: a process of a killed server may still use their folder.
            await asyncio.to_thread(cloud.end_leftover_processes)
            _restore_or_seed(control, settings.store)
            stack.push_async_callback(cloud.queue.stop)
            await stack.enter_async_context(cloud.webhooks.running())
            if settings.schedules:
                await stack.enter_async_context(Scheduler(cloud).running())
            app = make_app(cloud, control)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
            stack.push_async_callback(_close, runner)
            cloud.base_url = await _listen(runner, bound, settings)
            control_token_file = cloud.data_dir / CONTROL_TOKEN_FILE
            stack.enter_context(private_file(control_token_file, control_token))
            yield cls(cloud.base_url, settings.token, control, control_token_file)

    @classmethod
    async def serve_forever(
        cls,
        settings: ServerSettings,
        ready: Callable[[Self], None],
        meanwhile: Callable[[Self], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Serve until SIGINT or SIGTERM.

        Args:
            settings: the settings.
            ready: called once the server answers.
            meanwhile: returns a context that is open from then on until the server stops.
        """
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        async with cls.serve(settings) as server:
            with meanwhile(server):
                ready(server)
                await stopped.wait()


async def _run_dbt(plan: RunPlan, observer: RunObserver, cancelled: asyncio.Event) -> Outcome:
    """Execute a run with real dbt."""
    # Imported by the first run, since a server of simulated runs needs no dbt.
    try:
        from dbtcloud.local.execution.execute import execute
    except ModuleNotFoundError as error:
        raise LocalServerError(
            f"Running dbt requires {error.name}, which is not installed. "
            "Install it with: pip install 'dbtcloud[local]'"
        ) from error
    return await execute(plan, observer, cancelled)


def _open_cloud(settings: ServerSettings, stack: AsyncExitStack) -> Cloud:
    data_dir = settings.data_dir
    if data_dir is None:
        data_dir = Path(tempfile.mkdtemp(prefix="local-dbt-cloud-"))
        stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
    store = _open_store(settings.store)
    stack.callback(store.close)
    execute = settings.execute or _run_dbt
    # dbt runs in another folder.
    data_dir = data_dir.absolute()
    return Cloud(store, Clock(), data_dir, execute, base_url="", keep_artifacts=settings.keep_artifacts)


def _control_plane(cloud: Cloud, settings: ServerSettings, authenticator: Authenticator) -> ControlPlane:
    for token, permission_sets in settings.grants.items():
        try:
            authenticator.add_token(permission_sets, token)
        except ValueError as error:
            raise LocalServerError(f"Cannot accept a token: {error}") from error
    authenticator.keep_tokens()
    if settings.projects is not None:
        return ControlPlane(cloud, settings.projects.document, authenticator, settings.projects.setups)
    return ControlPlane(cloud, Seeder.default_document(settings.project_dir), authenticator)


async def _close(runner: web.AppRunner) -> None:
    """Stop serving, without waiting for TLS clients that never close their connection."""
    handlers = runner.server.connections if runner.server else []
    transports = [handler.transport for handler in handlers if handler.transport is not None]
    await runner.cleanup()
    for transport in transports:
        transport.abort()
    # The event loop closes aborted sockets in its next step.
    await asyncio.sleep(0)


async def _listen(runner: web.AppRunner, bound: socket.socket, settings: ServerSettings) -> str:
    await runner.setup()
    await web.SockSite(runner, bound, ssl_context=settings.ssl_context).start()
    scheme = "http" if settings.ssl_context is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{bound.getsockname()[1]}"


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise _port_error(host, port, error) from error


def _restore_or_seed(control: ControlPlane, store: str) -> None:
    try:
        control.restore_or_seed()
    except sqlite3.Error as error:  # such as a full disk
        raise _store_error(store, error) from error


def _open_store(path: str) -> Store:
    try:
        if path != ":memory:":
            # Logs of runs and values of environment variables are not for other users of this machine.
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(path).touch(mode=0o600)
            Path(path).chmod(0o600)
        return Store(path)
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

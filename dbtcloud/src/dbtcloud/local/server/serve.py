"""Serving on an event loop: everything is opened, and closed again in the end."""

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from dbtcloud.local.api.app import make_app
from dbtcloud.local.control.control import Control
from dbtcloud.local.control.seed import default_document
from dbtcloud.local.control.tokens import Guard
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.scheduler import Schedules
from dbtcloud.local.server.resources import bind, open_store
from dbtcloud.local.server.settings import Settings

_SHUTDOWN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that serves: its address, its token, its control plane."""

    url: str
    token: str = field(repr=False)
    control: Control


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Served]:
    """Serve as long as the context lasts.

    Raises:
        LocalServerError: when the port is taken, or the settings are not safe.
    """
    settings = settings.checked()
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(bind(settings.host, settings.port))
        cloud = _opened(settings, stack)
        guard = Guard(settings.token, open_additions=settings.on_loopback)
        control = _control(cloud, settings, guard)
        await asyncio.to_thread(cloud.end_orphans)
        control.take_over()
        stack.push_async_callback(cloud.queue.stop)
        await stack.enter_async_context(cloud.webhooks.watching())
        if settings.schedules:
            await stack.enter_async_context(Schedules(cloud).running())
        app = make_app(cloud, control)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        stack.push_async_callback(_close, runner)
        cloud.base_url = await _listen(runner, bound, settings)
        yield Served(cloud.base_url, settings.token, control)


async def serve_forever(
    settings: Settings,
    ready: Callable[[Served], None],
    meanwhile: Callable[[Served], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once the server answers, within `meanwhile`."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(settings) as served:
        with meanwhile(served):
            ready(served)
            await stopped.wait()


async def run_dbt(plan: RunPlan, observer: RunObserver, cancelled: asyncio.Event) -> Outcome:
    """Execute a run with real dbt; what that takes is imported when the first run asks for it."""
    try:
        from dbtcloud.local.execution.execute import execute
    except ModuleNotFoundError as error:
        raise LocalServerError(
            f"Running dbt takes {error.name}, which is not installed. "
            "Install it with: pip install 'dbtcloud[local]'"
        ) from error
    return await execute(plan, observer, cancelled)


def _opened(settings: Settings, stack: AsyncExitStack) -> Cloud:
    data_dir = settings.data_dir
    if data_dir is None:
        data_dir = Path(tempfile.mkdtemp(prefix="local-dbt-cloud-"))
        stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
    store = open_store(settings.store)
    stack.callback(store.close)
    execute = settings.execute or run_dbt
    return Cloud(store, Clock(), data_dir, execute, base_url="", keep_artifacts=settings.keep_artifacts)


def _control(cloud: Cloud, settings: Settings, guard: Guard) -> Control:
    for token, permission_sets in settings.grants.items():
        try:
            guard.add(permission_sets, token)
        except ValueError as error:
            raise LocalServerError(f"A token cannot be let in: {error}") from error
    guard.settle()
    if settings.own is not None:
        return Control(cloud, settings.own.document, guard, settings.own.setups)
    return Control(cloud, default_document(settings.project_dir), guard)


async def _close(runner: web.AppRunner) -> None:
    """Stop serving; a TLS connection whose client says no goodbye is dropped, not waited for."""
    handlers = runner.server.connections if runner.server else []
    transports = [handler.transport for handler in handlers if handler.transport is not None]
    await runner.cleanup()
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)


async def _listen(runner: web.AppRunner, bound: socket.socket, settings: Settings) -> str:
    await runner.setup()
    await web.SockSite(runner, bound, ssl_context=settings.ssl_context).start()
    scheme = "http" if settings.ssl_context is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{bound.getsockname()[1]}"

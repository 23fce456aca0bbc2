"""A local dbt Cloud in a thread of this process, for tests and scripts."""

import asyncio
import atexit
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dbtcloud.local.control.control import ThreadedControl
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.run_queue import Execute
from dbtcloud.local.server.serve import RunningServer
from dbtcloud.local.server.settings import ServerSettings


class LocalDbtCloud:
    """A local dbt Cloud in a thread of its own.

    Use it as a context manager, or call `start` and `stop`.

    Args:
        port: the port; 0 takes a free one.
        token: the token that clients send; None generates one.
        store: a SQLite file that outlives the server, or `:memory:`.
        data_dir: the folder of checkouts, databases and artifacts of real runs; None is a temporary one.
        host: the interface. Any but loopback requires a token.
        project_dir: the dbt project of the default jobs; None is the bundled sample.
        ssl_context: the TLS context; None serves plain http.
        execute: executes runs in place of dbt, for tests.
        schedules: whether the schedules and job completion triggers of jobs start runs.

    Attributes:
        url: the server's URL, once it has started.
        token: the token.
        account_id: the account of the default seed.
        control: the control plane: seed jobs and runs, move the clock, inject faults, read the request log.
    """

    account_id = 1

    def __init__(
        self,
        port: int = 0,
        token: str | None = None,
        store: str | Path = ":memory:",
        data_dir: Path | None = None,
        host: str = "127.0.0.1",
        *,
        project_dir: Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        execute: Execute | None = None,
        schedules: bool = False,
    ) -> None:
        settings = ServerSettings(
            host, port, token or "", str(store), data_dir, project_dir, ssl_context, execute
        )
        self._settings = replace(settings, schedules=schedules).checked()
        self.token = self._settings.token
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        return f"<LocalDbtCloud {getattr(self, 'url', 'stopped')}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return once it answers.

        Raises:
            LocalServerError: The server cannot start, for example because the port is in use.
        """
        self._thread = threading.Thread(target=self._run, name="local-dbt-cloud", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        atexit.register(self.stop)

    def stop(self) -> None:
        """Cancel all runs, stop the server and wait for its thread. A second call does nothing."""
        if self._thread is None or not self._thread.is_alive():
            return
        atexit.unregister(self.stop)
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that started this one
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with RunningServer.serve(self._settings) as server:
            self._set_ready(server)
            await self._stopped.wait()

    def _set_ready(self, server: RunningServer) -> None:
        self.url = server.url
        self.control = ThreadedControl(server.control, self._loop)
        self._ready.set()


__all__ = ["LocalDbtCloud", "LocalServerError"]

"""A local dbt Cloud in a thread of its own: start, use, stop, and nothing is left behind."""

import asyncio
import atexit
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dbtcloud.local.control.threaded import ThreadedControl
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.run_queue import Execute
from dbtcloud.local.server.serve import Served, serving
from dbtcloud.local.server.settings import Settings


class LocalDbtCloud:
    """dbt Cloud's Admin API on this machine; a context manager.

    Args:
        port: 0 takes a free one.
        token: what clients authenticate with; made up when None.
        store: a SQLite file that outlives the server, or `:memory:`.
        data_dir: where checkouts, databases and artifacts of real runs lie; None is a folder that goes away.
        host: the interface; anything but loopback needs a token.
        project_dir: the dbt project behind the default jobs; None is the bundled sample.
        ssl_context: serves https when given.
        execute: executes real runs in place of dbt; for tests of what surrounds it.
        schedules: whether cron lines and job completion triggers of jobs start runs.

    Attributes:
        url: the server's address, once it has started.
        token: the token.
        account_id: the account of the default seed.
        control: the control plane, as methods.
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
        wanted = Settings(host, port, token or "", str(store), data_dir, project_dir, ssl_context, execute)
        self._settings = replace(wanted, schedules=schedules).checked()
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
        """Start serving; returns when the server answers.

        Raises:
            LocalServerError: when it cannot, for example because the port is taken.
        """
        self._thread = threading.Thread(target=self._run, name="local-dbt-cloud", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        atexit.register(self.stop)

    def stop(self) -> None:
        """Cancel what runs, stop serving, and wait until the thread has ended; a second call does nothing."""
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
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that started this one
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self._settings) as served:
            self._announce(served)
            await self._stopped.wait()

    def _announce(self, served: Served) -> None:
        self.url = served.url
        self.control = ThreadedControl(served.control, self._loop)
        self._ready.set()


__all__ = ["LocalDbtCloud", "LocalServerError"]

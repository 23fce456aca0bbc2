"""Carry out the calls of a client: blocking and thread-safe, or on an event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dbtcloud.client.errors import DbtCloudError, InvalidArgument
from dbtcloud.client.protocol import Call, Request, Response, T
from dbtcloud.client.retry import DEFAULT_RETRY, RetryDecision
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.transport.async_client import AsyncClient, run_call_async
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from dbtcloud.client.transport.time_limit import separate_time_limit
from dbtcloud.resources.base.client_errors import ClientClosed, WriteRefused
from dbtcloud.resources.base.tracing import OnRequest, OnResponse, RequestTrace

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

READONLY = "DBT_CLOUD_READONLY"
"""The environment variable that forbids all changes if it is "1" or "true"."""

CONCURRENT_CALLS = 5
"""Calls that a client carries out at once by itself, such as those for the pages of a list."""

_THREAD_NAME = "dbt Cloud client"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What a client needs to send its requests.

    Attributes:
        credentials: The address, the token, the account and the network settings.
        retry: Decides whether a failed request is sent again.
        on_request: Called before each attempt of a request.
        on_response: Called after each attempt of a request.
        disable_schedule_on_trigger: Whether `run_job_and_poll` switches the job's schedule off meanwhile.

    Raises:
        InvalidArgument: If a callback or `retry` is no plain function.
    """

    credentials: Credentials
    retry: RetryDecision = DEFAULT_RETRY
    on_request: OnRequest | None = None
    on_response: OnResponse | None = None
    disable_schedule_on_trigger: bool = False

    def __post_init__(self) -> None:
        if not callable(self.retry):
            raise InvalidArgument(
                f"retry is {shown_value(self.retry)}",
                fix="Give a RetryPolicy, such as RetryPolicy(attempts=1)",
            )
        for name in ("on_request", "on_response"):
            callback: object = getattr(self, name)
            if callback is not None and (not callable(callback) or inspect.iscoroutinefunction(callback)):
                raise InvalidArgument(
                    f"{name} is {shown_value(callback)}",
                    why="It is called with an event, and what it returns is not awaited",
                    fix="Give a plain function",
                )

    @property
    def account_id(self) -> str:
        """The account.

        Raises:
            InvalidArgument: If none was given.
        """
        if self.credentials.account_id is None:
            raise InvalidArgument(
                "The client has no account id",
                why="Neither account_id nor the place of the token names one",
                fix="Give account_id, the number after /deploy/ in the address of dbt Cloud's pages",
            )
        return self.credentials.account_id

    def trace(self) -> RequestTrace:
        """Return the trace of one call."""
        return RequestTrace(self.on_request, self.on_response)


def check_allowed(request: Request) -> None:
    """Check that a request may be sent.

    Raises:
        WriteRefused: If it would change something, and `DBT_CLOUD_READONLY` forbids that.
    """
    reads = request.method == "GET" or request.service == "discovery"
    if not reads and os.environ.get(READONLY, "").strip().lower() in {"1", "true", "yes", "on"}:
        raise WriteRefused(request.method, request.path, READONLY)


class BlockingEngine:
    """Carries out calls in the thread that asks for them. Threads may share it.

    Args:
        options: The settings of the client.
    """

    def __init__(self, options: ClientOptions) -> None:
        self.options = options
        self._closed = False
        self._start()

    def _start(self) -> None:
        """Begin without connections and threads: none of those of another process can be used."""
        self._process_id = os.getpid()
        self._client = SyncClient(self.options.credentials, self.options.retry)
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def ask(self, call: Call[T]) -> T:
        """Carry out a call and return its result.

        Raises:
            DbtCloudError: If it fails.
        """
        trace = self.options.trace()

        def send(request: Request) -> Response:
            self._check_open()
            check_allowed(request)
            trace.begin(request)
            try:
                response = self._client.send(request)
            except DbtCloudError as error:
                trace.end(request, error)
                raise
            trace.end(request, response)
            return response

        return run_call(call, send, retry=self.options.retry)

    def ask_to_end(self, make: Callable[[], Call[T]], seconds: float) -> T:
        """Carry out a call that has to be made at any rate, such as one that undoes a change.

        If it is interrupted, as by Ctrl-C, it is made once more before the interruption takes effect.

        Args:
            make: Makes the call.
            seconds: How long it may take, whatever `time_limit` there is.

        Raises:
            DbtCloudError: If it fails.
        """
        with separate_time_limit(seconds):
            try:
                return self.ask(make())
            except (KeyboardInterrupt, SystemExit):
                self.ask(make())
                raise

    def ask_each(
        self,
        make: Callable[[Item], Call[T]],
        items: Sequence[Item],
        *,
        stop: Callable[[], object] | None = None,
    ) -> Generator[T]:
        """Yield the result of the call for each item in order, while the calls for the next ones run.

        Args:
            make: Makes the call for an item.
            items: The items.
            stop: Called if this ends early. Calls that still run are then waited for; otherwise they go on.

        Raises:
            DbtCloudError: If a call fails.
        """
        if len(items) < 2:
            yield from (self.ask(make(item)) for item in items)
            return
        pending: deque[Future[T]] = deque()
        try:
            for item in items:
                # The threads get this one's context, in which a time limit may stand.
                pending.append(self._threads().submit(copy_context().run, self.ask, make(item)))
                if len(pending) >= 2 * CONCURRENT_CALLS:
                    result = _result_of(pending[0])  # it stays here meanwhile, in case of an interruption
                    pending.popleft()
                    yield result
            while pending:
                result = _result_of(pending[0])
                pending.popleft()
                yield result
        finally:
            going_on = [future for future in pending if not future.cancel()]
            if stop is not None and going_on:
                from concurrent.futures import wait

                stop()
                wait(going_on)

    def _threads(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        self._check_open()
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix=_THREAD_NAME)
            return self._executor

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed
        if self._process_id != os.getpid():  # this is a fork
            self._start()

    def close(self) -> None:
        """Close all connections. Calls in other threads end with their request."""
        with self._lock:
            self._closed, executor = True, self._executor
        if executor is not None:
            # A callback may close the client in one of these threads, which cannot wait for itself.
            is_own_thread = threading.current_thread().name.startswith(_THREAD_NAME)
            executor.shutdown(wait=not is_own_thread, cancel_futures=True)
        self._client.close()


def _result_of(future: Future[T]) -> T:
    from concurrent.futures import CancelledError

    try:
        return future.result()
    except CancelledError:  # which only the end of the client does
        raise ClientClosed from None


class AwaitingEngine:
    """Carries out calls on an event loop, which is that of its first call.

    Args:
        options: The settings of the client.
    """

    def __init__(self, options: ClientOptions) -> None:
        self.options = options
        self._client = AsyncClient(options.credentials, options.retry)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def ask(self, call: Call[T]) -> T:
        """Carry out a call and return its result.

        Raises:
            DbtCloudError: If it fails.
        """
        trace = self.options.trace()

        async def send(request: Request) -> Response:
            self._check_open()
            check_allowed(request)
            trace.begin(request)
            try:
                response = await self._client.send(request)
            except DbtCloudError as error:
                trace.end(request, error)
                raise
            trace.end(request, response)
            return response

        return await run_call_async(call, send, retry=self.options.retry)

    async def ask_to_end(self, make: Callable[[], Call[T]], seconds: float) -> T:
        """Carry out a call that has to be made at any rate, such as one that undoes a change.

        If the task that awaits it is cancelled, that takes effect afterwards.

        Args:
            make: Makes the call.
            seconds: How long it may take, whatever `time_limit` there is.

        Raises:
            DbtCloudError: If it fails.
        """

        async def ask() -> T:
            with separate_time_limit(seconds):
                return await self.ask(make())

        interruption: asyncio.CancelledError | None = None
        for _ in range(2):
            task = asyncio.create_task(ask())
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError as cancelled:
                    interruption = cancelled
            if not task.cancelled():  # as the end of asyncio.run() cancels all tasks
                break
        if interruption is not None:
            raise interruption from (None if task.cancelled() else task.exception())
        return task.result()

    async def ask_each(self, make: Callable[[Item], Call[T]], items: Sequence[Item]) -> AsyncGenerator[T]:
        """Yield the result of the call for each item in order, while the calls for the next ones run.

        Raises:
            DbtCloudError: If a call fails.
        """
        pending: deque[asyncio.Task[T]] = deque()
        try:
            for item in items:
                pending.append(asyncio.create_task(self.ask(make(item))))
                if len(pending) >= CONCURRENT_CALLS:
                    yield await pending.popleft()
            while pending:
                yield await pending.popleft()
        finally:
            await _cancel_all(pending)

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed
        loop = asyncio.get_running_loop()
        if self._loop not in {None, loop}:
            raise InvalidArgument(
                "The client belongs to another event loop",
                why="Its connections are on the loop of its first call, as that of another asyncio.run()",
                fix="Make one AsyncDbtCloudClient for each event loop",
            )
        self._loop = loop

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        await self._client.close()


async def _cancel_all(tasks: Iterable[asyncio.Task[T]]) -> None:
    waiting: list[Awaitable[T]] = []
    for task in tasks:
        task.cancel()
        waiting.append(task)
    await asyncio.gather(*waiting, return_exceptions=True)

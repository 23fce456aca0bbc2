"""Applies a function to many items in several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    threads: int,
    stop: Callable[[], object] = bool,
    leave: Callable[[], object] = bool,
) -> Iterator[Result]:
    """Yield the result for each item, in the order of the items.

    At most twice as many items as there are threads are in work or wait for the reader.

    Args:
        function: Is called in several threads; for a single item, in the caller's.
        items: The items.
        threads: How many threads there are at most.
        stop: Is called when an item fails or the reader is interrupted, so that the other threads end early.
        leave: Is called by each thread when it ends.

    Raises:
        Exception: The first error of `function` in time, after all threads have ended.
    """
    if len(items) < 2:
        yield from map(function, items)
        return
    work = _Work(function, items, 2 * threads, stop, leave)
    with ThreadPoolExecutor(min(threads, len(items)), thread_name_prefix="dbt Cloud hook") as pool:
        try:
            for _ in range(min(threads, len(items))):
                pool.submit(work.run)
            for result in work.results:
                yield result.result()
                work.ahead.release()
        except BaseException as error:  # also a reader that stops early, and an interrupted wait
            work.fail(error)
            raise


class _Work(Generic[Item, Result]):
    """The state that the threads share: the items that are left, and a future for each result."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        ahead: int,
        stop: Callable[[], object],
        leave: Callable[[], object],
    ) -> None:
        self._function, self._stop, self._leave = function, stop, leave
        self.results: list[Future[Result]] = [Future() for _ in items]
        self._left = iter(zip(items, self.results, strict=True))
        self._lock = threading.Lock()
        self._failed = False
        self.ahead = threading.Semaphore(ahead)

    def run(self) -> None:
        """Take one item after the other until none is left or one has failed."""
        try:
            while (taken := self._next()) is not None:
                item, future = taken
                result = self._function(item)
                with self._lock:
                    if not self._failed:
                        future.set_result(result)
        except BaseException as error:  # noqa: BLE001 -- raised again where the results are read
            self.fail(error)
        finally:
            self._leave()

    def fail(self, error: BaseException) -> None:
        """Give the reader this error, unless there was an earlier one, and end every thread."""
        with self._lock:
            if self._failed:
                return
            self._failed = True
            for future in self.results:
                if not future.done():
                    future.set_exception(error)
        self._stop()
        # Wake the threads that wait for the reader, of which there may be one for each item.
        self.ahead.release(len(self.results))

    def _next(self) -> tuple[Item, Future[Result]] | None:
        self.ahead.acquire()
        with self._lock:
            return None if self._failed else next(self._left, None)

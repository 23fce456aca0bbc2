"""Does the same with many things at once, in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

WIDTH = 10
"""Things that are done at the same time."""


def each(
    do: Callable[[Item], Made], items: Sequence[Item], *, stop: Callable[[], None], leave: Callable[[], None]
) -> list[Made]:
    """What `do` makes of each item, in their order.

    Args:
        do: Is called from several threads; of one item, from this one.
        items: The things.
        stop: Called when one fails, or the wait for them is interrupted; those that go on should end then.
        leave: Called by each thread at its end.

    Raises:
        Exception: The first that `do` raised; the other threads have ended by then.
    """
    if len(items) < 2:
        return [do(item) for item in items]
    work = _Work(do, items, stop, leave)
    with ThreadPoolExecutor(min(WIDTH, len(items)), thread_name_prefix="dbt-cloud-artifacts") as pool:
        try:
            wait([pool.submit(work) for _ in range(min(WIDTH, len(items)))])
        except BaseException as error:
            work.fail(error)
            raise
    if work.errors:
        raise work.errors[0]
    return [work.made[index] for index in range(len(items))]


class _Work(Generic[Item, Made]):
    """What the threads share: the items that are left, what was made of the others, and what went wrong."""

    def __init__(
        self,
        do: Callable[[Item], Made],
        items: Sequence[Item],
        stop: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._do, self._stop, self._leave = do, stop, leave
        self._left = iter(enumerate(items))
        self._lock = threading.Lock()
        self.made: dict[int, Made] = {}
        self.errors: list[BaseException] = []

    def __call__(self) -> None:
        try:
            while (item := self._next()) is not None:
                self.made[item[0]] = self._do(item[1])
        except BaseException as error:  # noqa: BLE001 -- raised again in the thread that waits
            self.fail(error)
        finally:
            self._leave()

    def fail(self, error: BaseException) -> None:
        """Have every thread end."""
        with self._lock:
            self.errors.append(error)
        self._stop()

    def _next(self) -> tuple[int, Item] | None:
        with self._lock:
            return None if self.errors else next(self._left, None)

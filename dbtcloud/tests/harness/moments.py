"""What happens beside a test as soon as something is so: by the hand of somebody else, in a thread."""

import threading
from collections.abc import Callable, Iterator

import pytest

_WATCHES: list[threading.Thread] = []
_over = threading.Event()


@pytest.fixture
def moments() -> Iterator[None]:
    """What a test has waited for in vain is not done to the next one."""
    _over.clear()
    yield
    _over.set()
    for thread in _WATCHES:
        thread.join()
    _WATCHES.clear()


def in_a_moment(condition: Callable[[], object], act: Callable[[], object]) -> None:
    """Do something in a thread as soon as something is so, unless the test is over; it asks for `moments`."""

    def watch() -> None:
        while not _over.wait(0.02):
            if condition():
                act()
                return

    _WATCHES.append(threading.Thread(target=watch, daemon=True))
    _WATCHES[-1].start()

"""Waiting for what another process does, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.2
SHARE = 5
"""A look that takes long costs whom it asks a lot: it may do so for one part of the time in this many."""


def until(look: Callable[[], T | None], *, timeout: float, what: Callable[[], str]) -> T:
    """Look until something is found, and fail after `timeout` seconds with what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            msg = f"Waited {timeout:g} s in vain for {what()}"
            raise TimeoutError(msg)
        time.sleep(max(PAUSE, (SHARE - 1) * (time.monotonic() - began)))

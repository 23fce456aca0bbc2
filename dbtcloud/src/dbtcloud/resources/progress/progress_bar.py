"""A bar in the terminal that shows a run while a program waits for it (extra `progress`)."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

    from dbtcloud.client.models import Run
    from dbtcloud.resources.progress.run_progress import OnProgress

log = logging.getLogger(__name__)

_ONE_AT_A_TIME = threading.Lock()
"""Whoever holds it has the terminal: two bars would write over each other."""


@contextmanager
def progress_bar() -> Iterator[OnProgress | None]:
    """Show a bar during the block, and return the function that shows a run in it.

    The bar is on stderr and leaves no line behind. Where that is no terminal, or rich is not installed, there
    is no bar and no function. No error of the bar reaches the block.
    """
    with ExitStack() as stack:
        bar = None
        if _ONE_AT_A_TIME.acquire(blocking=False):
            stack.callback(_ONE_AT_A_TIME.release)
            bar = _started_bar()
        if bar is not None:
            stack.callback(bar.stop)
        yield None if bar is None else bar.show


def _started_bar() -> _Bar | None:
    try:
        return _Bar(_new_progress()) if _is_terminal(sys.stderr) else None
    except ImportError:
        return None  # without the extra
    except Exception:
        log.debug("No progress bar can be shown", exc_info=True)
        return None


def _is_terminal(stream: object) -> bool:
    # There is no stream at all in a program without a console.
    return bool(getattr(stream, "isatty", bool)())


def _new_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
    return Progress(
        SpinnerColumn("line"),  # its characters are in every encoding
        text,
        BarColumn(bar_width=12),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=4,
        expand=True,
        transient=True,
        # Lines that the program prints appear above the bar. A stdout that goes to a file still goes there.
        redirect_stdout=_is_terminal(sys.stdout),
    )


class _Bar:
    """A bar of rich, which moves although nobody knows how long the run takes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)
        streams = sys.stdout, sys.stderr
        progress.start()
        # rich has replaced them. The handlers of logs still write to what they found when they were made.
        self._replaced = list(zip(streams, (sys.stdout, sys.stderr), strict=True))
        for before, during in self._replaced:
            _move_log_handlers(before, during)

    def show(self, run: Run) -> None:
        """Show the status and the step of a run."""
        try:
            self._progress.update(self._task, description=_describe(run))
        except Exception:
            log.debug("The progress bar cannot be changed", exc_info=True)

    def stop(self) -> None:
        """Take the bar away."""
        try:
            for before, during in self._replaced:
                _move_log_handlers(during, before)
            self._progress.stop()
        except Exception:
            log.debug("The progress bar cannot be taken away", exc_info=True)


def _move_log_handlers(old: TextIO, new: TextIO) -> None:
    for handler in logging.root.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)


def _describe(run: Run) -> str:
    step = run.current_step
    where = f", step {step.index}: {step.dbt_command or step.name}" if step else ""
    text = f"Run {run.id}: {run.status_humanized}{where}"
    # A name could hold control characters.
    return "".join(each if each.isprintable() else " " for each in text)

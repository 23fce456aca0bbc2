"""The lines of a run's logs, also while the run is still running."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from dbtcloud.client.downloads.run_logs import RunLogs, read_run_logs
from dbtcloud.client.models import Run, Step, without_colours
from dbtcloud.client.protocol import Call, Id, identifier
from dbtcloud.client.run_status import FINISHED
from dbtcloud.client.run_wait import PollSchedule
from dbtcloud.resources.faces import Stream
from dbtcloud.resources.run_progress import tolerant_polls


class RunLogLines:
    """The lines of the logs of a run's steps.

    Args:
        account_id: The account.
        run_id: The run.
        schedule: The interval and the timeout, which begins now.
        follow: Whether to read the logs again until the run has ended.
        step: The wanted step, by its position from 1; all if None.
        debug: Whether the debug logs are wanted.

    Raises:
        InvalidArgument: If the run or the step is not a number.
    """

    def __init__(
        self,
        account_id: Id,
        run_id: Id,
        schedule: PollSchedule,
        *,
        follow: bool,
        step: int | None,
        debug: bool,
    ) -> None:
        self._account_id, self._run_id = account_id, int(identifier(run_id, "run id"))
        self._steps = None if step is None else [int(identifier(step, "step"))]
        self._schedule, self._follow, self._debug = schedule, follow, debug
        self._logs: RunLogs | None = None
        self._taken: dict[int, _TakenLog] = {}

    def stream(self) -> Stream[str]:
        """Yield calls for the lines, each of which comes once."""
        with tempfile.TemporaryFile(prefix="dbt-cloud-") as spool:
            polls = tolerant_polls(self._schedule, self._run_id, lambda: self._poll(spool))
            while True:
                yield _without_items(polls.next_run() if self._follow else self._read_once(spool))
                assert self._logs is not None
                for lines in self._new_lines(self._logs):
                    yield _ready(lines)
                if self._logs.is_finished or not self._follow:
                    return

    def _read_once(self, spool: IO[bytes]) -> Call[Run]:
        with self._schedule.limit(self._schedule.timeout):
            return (yield from self._poll(spool))

    def _poll(self, spool: IO[bytes]) -> Call[Run]:
        # A step that has not begun is missing until the run has ended.
        steps = None if self._follow else self._steps
        self._logs = yield from read_run_logs(
            self._account_id, self._run_id, spool, steps=steps, debug=self._debug
        )
        return Run(self._run_id, self._logs.status)

    def _new_lines(self, logs: RunLogs) -> Iterator[list[str]]:
        is_last = logs.is_finished or not self._follow
        for step in logs.steps(self._steps if is_last else None):
            if self._steps is None or step.index in self._steps:
                taken = self._taken.setdefault(step.index, _TakenLog())
                if taken.choose(logs, step, debug=self._debug, is_last=is_last):
                    yield from taken.new_lines(logs, step, is_complete=is_last or step.status in FINISHED)


class _TakenLog:
    """How much of the log of a step was taken."""

    def __init__(self) -> None:
        self._bytes = 0
        self._is_debug: bool | None = None

    def choose(self, logs: RunLogs, step: Step, *, debug: bool, is_last: bool) -> bool:
        """Choose which log of the step is taken, and return whether it has come.

        Once lines of one log were taken, those of the other would be the same ones in other words.

        Args:
            logs: The logs.
            step: The step.
            debug: Whether its debug log is wanted.
            is_last: Whether no other log can come.
        """
        has_debug_log = logs.has_debug_log(step)
        if self._is_debug is None and (not debug or has_debug_log or is_last or not step.dbt_command):
            self._is_debug = debug and has_debug_log
        return self._is_debug is not None and (has_debug_log or not self._is_debug)

    def new_lines(self, logs: RunLogs, step: Step, *, is_complete: bool) -> Iterator[list[str]]:
        """Yield the lines that were not taken before, in lists of many.

        Args:
            logs: The logs.
            step: The step.
            is_complete: Whether the last line is complete, although it has no line end.
        """
        rest = b""
        for chunk in logs.text(step, debug=bool(self._is_debug), start=self._bytes):
            *lines, rest = (rest + chunk).split(b"\n")
            self._bytes += sum(map(len, lines)) + len(lines)
            yield [_plain(line) for line in lines]
        if rest and is_complete:
            self._bytes += len(rest)
            yield [_plain(rest)]


def _plain(line: bytes) -> str:
    return without_colours(line.decode()).rstrip("\r")


def _without_items(call: Call[Run]) -> Call[Sequence[str]]:
    yield from call
    return ()


def _ready(lines: list[str]) -> Call[Sequence[str]]:
    yield from ()  # a call without a request
    return lines

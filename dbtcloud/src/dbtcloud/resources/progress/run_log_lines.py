"""The lines of a run's logs, also while the run is still running."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime

from dbtcloud.client.downloads.run_logs import RunLogs, read_run_logs
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.models import Run, Step, without_colours
from dbtcloud.client.protocol import Call, Id, Sleep, identifier
from dbtcloud.client.run_status import FINISHED
from dbtcloud.client.run_wait import LAST_POLL_SECONDS, PollSchedule
from dbtcloud.resources.base.faces import Stream
from dbtcloud.resources.progress.run_progress import tolerant_polls

log = logging.getLogger(__name__)

_RECENT = 60.0  # seconds after a run's end in which dbt Cloud may still store the last lines of its logs
_PAUSE = 2.0  # seconds before the logs of such a run are read again


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
        self._steps = None if step is None else [int(identifier(step, "step"))]
        self._follow, self._debug = follow, debug
        # A step that has not begun is missing until the run has ended.
        steps = None if follow else self._steps
        self._reader = _LogReader(account_id, run_id, schedule, steps=steps, debug=debug)
        self._taken: dict[int, _TakenLog] = {}

    def stream(self) -> Stream[str]:
        """Yield calls for the lines, each of which comes once."""
        with closing(self._reader) as reader:
            while not reader.is_complete:
                yield _without_items(reader.read_next() if self._follow else reader.read_once())
                for lines in self._new_lines(reader.logs, is_last=reader.is_complete):
                    yield _ready(lines)

    def _new_lines(self, logs: RunLogs, *, is_last: bool) -> Iterator[list[str]]:
        newest = max((step.index for step in logs.steps()), default=0)
        for step in logs.steps(self._steps if is_last else None):
            if self._steps is None or step.index in self._steps:
                taken = self._taken.setdefault(step.index, _TakenLog())
                if taken.choose(logs, step, debug=self._debug, is_last=is_last):
                    is_over = is_last or (step.status in FINISHED and step.index < newest)
                    yield from taken.new_lines(logs, step, is_over=is_over)


class _LogReader:
    """Reads the logs of a run again and again, and keeps the last ones in a temporary file.

    Args:
        account_id: The account.
        run_id: The run.
        schedule: The interval and the timeout.
        steps: The steps that must have logs; all if None.
        debug: Whether the debug logs are read.

    Attributes:
        logs: The logs that were read last.
        is_complete: Whether nothing more is to be read.
    """

    def __init__(
        self, account_id: Id, run_id: Id, schedule: PollSchedule, *, steps: Sequence[int] | None, debug: bool
    ) -> None:
        self._account_id, self._run_id = account_id, int(identifier(run_id, "run id"))
        self._schedule, self._steps, self._debug = schedule, steps, debug
        self._polls = tolerant_polls(schedule, self._run_id, self._read)
        self._spool = tempfile.TemporaryFile(prefix="dbt-cloud-")  # noqa: SIM115 -- `close` closes it
        self.logs, self.is_complete = RunLogs(self._run_id, self._spool), False

    def close(self) -> None:
        """Remove the temporary file."""
        self._spool.close()

    def read_once(self) -> Call[None]:
        """Read the logs so far."""
        with self._schedule.limit(self._schedule.timeout):
            yield from self._read()
        self.is_complete = True

    def read_next(self) -> Call[None]:
        """Read the logs when the next poll is due, or a little after the run's end.

        Raises:
            RunTimedOut: If the run has not ended in time.
            DbtCloudError: If polling fails for good.
        """
        if self.logs.is_finished:
            self.is_complete = not (yield from self._have_grown())
        else:
            run = yield from self._polls.next_run()
            self.is_complete = run.finished and _is_long_ago(self.logs.finished_at)

    def _have_grown(self) -> Call[bool]:
        """Read the logs of the run, which has just ended, once more, and return whether there are more."""
        size, left = self.logs.size, self._polls.seconds_left()
        if left <= 0:
            return False
        yield Sleep(min(self._schedule.interval, _PAUSE, left))
        try:
            with self._schedule.limit(max(LAST_POLL_SECONDS, self._polls.seconds_left())):
                yield from self._read()
        except DbtCloudError as error:
            log.warning("The logs of run %s could not be read once more. %s", self._run_id, error)
            return False
        return self.logs.size > size

    def _read(self) -> Call[Run]:
        # The last file stays until this one is complete.
        spool = tempfile.TemporaryFile(prefix="dbt-cloud-")  # noqa: SIM115 -- it becomes the spool
        try:
            logs = yield from read_run_logs(
                self._account_id, self._run_id, spool, steps=self._steps, debug=self._debug
            )
        except BaseException:
            spool.close()
            raise
        self._spool.close()
        self._spool, self.logs = spool, logs
        return Run(self._run_id, logs.status)


def _is_long_ago(time: datetime | None) -> bool:
    return time is not None and (datetime.now(UTC) - time).total_seconds() > _RECENT


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

    def new_lines(self, logs: RunLogs, step: Step, *, is_over: bool) -> Iterator[list[str]]:
        """Yield the lines that were not taken before, in lists of many.

        Args:
            logs: The logs.
            step: The step.
            is_over: Whether the last line is complete even without a line end.
        """
        rest = b""
        for chunk in logs.text(step, debug=bool(self._is_debug), start=self._bytes):
            *lines, rest = (rest + chunk).split(b"\n")
            self._bytes += sum(map(len, lines)) + len(lines)
            yield [_plain(line) for line in lines]
        if rest and is_over:
            self._bytes += len(rest)
            yield [_plain(rest)]


def _plain(line: bytes) -> str:
    return without_colours(line.decode()).rstrip("\r")


def _without_items(call: Call[None]) -> Call[Sequence[str]]:
    yield from call
    return ()


def _ready(lines: list[str]) -> Call[Sequence[str]]:
    yield from ()  # a call without a request
    return lines

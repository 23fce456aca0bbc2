"""Reads the logs of a run's steps in little memory, however long they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.download import retry_while_recent
from dbtcloud.client.downloads.json_pieces import JsonPieces, Piece
from dbtcloud.client.errors import ArtifactError, InvalidArgument, LogMissing, MalformedResponse
from dbtcloud.client.models import Step
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.run_status import FINISHED, RunStatus
from dbtcloud.client.typed_json import TypedFields

_CHUNK_BYTES = 1024 * 1024
_STEP = "data.run_steps.item"
_FIELDS = frozenset({"index", "name", "status"})
_LOGS = ("logs", "debug_logs")


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of the spool file, in bytes."""

    start: int
    end: int


_EMPTY = _Span(0, 0)


class RunLogs:
    """A sink for the API's description of a run: it keeps the steps, and their logs in a file.

    Args:
        run_id: The run.
        spool: An empty file that is open for reading and writing.

    Raises:
        MalformedResponse: From `write` and `end`, if what arrives is not such a description.
        ArtifactError: If the file cannot be written.
    """

    def __init__(self, run_id: Id, spool: IO[bytes]) -> None:
        self._run_id, self._spool = run_id, spool
        self._reset()

    def _reset(self) -> None:
        self._parser = JsonPieces()
        self._status: int = RunStatus.QUEUED
        self._finished_at = ""
        self._steps: dict[int, Step] = {}
        self._spans: dict[tuple[int, str], _Span] = {}  # by step and kind of log
        # Those of the step that is being read: its index may come last.
        self._fields: dict[str, str] = {}
        self._logs: dict[str, _Span] = {}

    def begin(self, *, has_known_end: bool = True) -> None:  # noqa: ARG002 -- the parser sees the end
        """Start with an empty file (see `Sink`)."""
        self._reset()
        with self._translated_errors():
            self._spool.seek(0)
            self._spool.truncate()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes (see `Sink`)."""
        with self._translated_errors():
            for piece in self._parser.feed(chunk):
                self._take(piece)

    def end(self) -> None:
        """Check that all has arrived (see `Sink`)."""
        with self._translated_errors():
            self._parser.finish()

    @property
    def status(self) -> int:
        """The run's status code."""
        return self._status

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended."""
        return self._status in FINISHED

    @property
    def finished_at(self) -> datetime | None:
        """When the run has ended, or None if it has not, or dbt Cloud does not say so."""
        with suppress(MalformedResponse):
            return TypedFields({"finished_at": self._finished_at}, "a run").time("finished_at")
        return None

    @property
    def size(self) -> int:
        """How many bytes all logs have together."""
        return sum(span.end - span.start for span in self._spans.values())

    def steps(self, wanted: Sequence[int] | None = None) -> list[Step]:
        """Return the wanted steps (all if None) without their logs, in order.

        Raises:
            InvalidArgument: If there is no such step.
        """
        if unknown := sorted(set(wanted or ()) - set(self._steps)):
            has = ", ".join(f"{step.index} ({step.name})" for step in self._steps.values())
            raise InvalidArgument(
                f"Run {self._run_id} has no step {unknown[0]}",
                why=f"Its steps are {has}" if has else "It has no steps yet",
                fix="Choose among its steps, or leave steps out for all of them",
            )
        return [self._steps[index] for index in sorted(self._steps if wanted is None else set(wanted))]

    def text(self, step: Step, *, debug: bool = False, start: int = 0) -> Iterator[bytes]:
        """Yield the log of a step in chunks of UTF-8, with `debug` its debug log.

        A step that does not run dbt has no debug log. Its log is yielded then.

        Args:
            step: The step.
            debug: Whether its debug log is yielded.
            start: How many bytes at the beginning are left out.
        """
        span = self._span(step, debug=debug)
        position = span.start + start
        while position < span.end:
            self._spool.seek(position)
            chunk = self._spool.read(min(_CHUNK_BYTES, span.end - position))
            position += len(chunk)
            yield chunk

    def has_text(self, step: Step, *, debug: bool = False) -> bool:
        """Return whether the step has a log."""
        span = self._span(step, debug=debug)
        return span.end > span.start

    def has_debug_log(self, step: Step) -> bool:
        """Return whether the step has a full debug log."""
        return (step.index, "debug_logs") in self._spans

    def _span(self, step: Step, *, debug: bool) -> _Span:
        plain, full = (self._spans.get((step.index, kind), _EMPTY) for kind in _LOGS)
        return full if debug and full != _EMPTY else plain

    def _take(self, piece: Piece) -> None:
        if piece.path == "data.status":
            self._status = int(piece.text)
        elif piece.path == "data.finished_at" and piece.is_string:
            self._finished_at += piece.text
        elif piece.path == _STEP and piece.text == "}":
            self._end_step()
        elif piece.path.startswith(f"{_STEP}."):
            self._take_field(piece.path.removeprefix(f"{_STEP}."), piece)

    def _take_field(self, name: str, piece: Piece) -> None:
        if name in _FIELDS:
            self._fields[name] = self._fields.get(name, "") + piece.text
        elif name in _LOGS and piece.is_string and piece.text:
            start = self._logs[name].start if name in self._logs else self._spool.tell()
            self._spool.write(piece.text.encode())
            self._logs[name] = _Span(start, self._spool.tell())

    def _end_step(self) -> None:
        fields, index = self._fields, int(self._fields.get("index", ""))
        self._steps[index] = Step(index, fields.get("name", ""), int(fields.get("status", 0)))
        self._spans |= {(index, kind): span for kind, span in self._logs.items()}
        self._fields, self._logs = {}, {}

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise MalformedResponse(
                f"The answer about run {self._run_id} is not JSON", why=str(error)
            ) from error
        except OSError as error:
            raise ArtifactError(
                f"The logs of run {self._run_id} could not be kept in a temporary file",
                why=error.strerror or str(error),
                fix="Free some space in the worker's temporary folder",
            ) from error


def read_run_logs(
    account_id: Id, run_id: Id, spool: IO[bytes], *, steps: Sequence[int] | None = None, debug: bool = False
) -> Call[RunLogs]:
    """Read the logs of a run's steps, and wait for those of a run that has just ended.

    Logs of a run that has not ended are those so far.

    Args:
        account_id: The account.
        run_id: The run.
        spool: An empty file, open for reading and writing, that keeps the logs.
        steps: The wanted steps, by their position from 1; all if None.
        debug: Whether to ask for the full debug logs.

    Raises:
        LogMissing: If none of the steps has a log.
        InvalidArgument: If there is no such step.
        NotFound: If there is no such run.
    """
    logs = RunLogs(run_id, spool)

    def attempt() -> Call[None]:
        yield from endpoints.download_run(account_id, run_id, logs, debug=debug)
        empty = [step for step in logs.steps(steps) if step.dbt_command and not logs.has_text(step)]
        if logs.is_finished and empty:
            raise LogMissing(run_id, empty[0].index, empty[0].name)

    try:
        yield from retry_while_recent(attempt, account_id, run_id)
    except LogMissing:
        # Those of the other steps are worth having.
        if not any(map(logs.has_text, logs.steps(steps))):
            raise
    return logs

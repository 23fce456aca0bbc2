"""Finds in dbt's log of a step what it says of a failed node, and why the step failed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Step
from dbtcloud.report.log_records import LogRecord
from dbtcloud.report.shortened_text import MAX_MESSAGE, one_line

LOG_TAIL_LINES = 30
"""Lines of a failed step's log that a report shows; dbt lists its errors at the end."""

_HEAD_LINES = 10  # of these, lines of the beginning of an error that has more
_MAX_MESSAGES = 3  # different messages of one node: a microbatch model may have one for each batch

_OPERATION_KINDS = frozenset({"macro", "operation"})
_OPERATION_FAILED = re.compile(r"Encountered an error while running operation:\s*(?P<error>.+)", re.DOTALL)
# dbt logs the error of a batch under this heading, and then the result of the batch.
_BATCH_ERROR = re.compile(
    r"(Unhandled error while executing.*\n)?Exception on worker thread\. (?P<error>.+)", re.DOTALL
)
_BATCH_FAILED = re.compile(r"Batch \d+ of \d+ ERROR creating batch \S+ of (?P<relation>\S+)")


class StepLog:
    """The log of a step.

    Args:
        step: The step, with its logs.
    """

    def __init__(self, step: Step) -> None:
        self._step = step

    def explain(self, nodes: Sequence[NodeResult]) -> tuple[NodeResult, ...]:
        """Return the nodes, with the log's message for each failed one whose own says no more than that."""
        return tuple(self._explained(node) if node.failed and not node.has_reason else node for node in nodes)

    @property
    def tail(self) -> list[str]:
        """The last lines of the log. If they do not begin with the error that dbt names, they follow it.

        Warnings are left out where dbt names an error: it lists deprecations after that.
        """
        before = [line for record in self._shown[: self._fatal_place] for line in record.lines]
        error = [line for record in self._shown[self._fatal_place :] for line in record.lines]
        if len(error) <= LOG_TAIL_LINES:
            return [*before, *error][-LOG_TAIL_LINES:]
        return [*error[:_HEAD_LINES], "…", *error[_HEAD_LINES + 1 - LOG_TAIL_LINES :]]

    @property
    def cause(self) -> str:
        """The end of the log on one line, or the error that dbt names if that has more, or ""."""
        error = "\n".join(record.text for record in self._shown[self._fatal_place :])
        if len(error) > MAX_MESSAGE:
            return one_line(error)
        log = " ".join(" ".join(self.tail).split())
        return log if len(log) <= MAX_MESSAGE else "…" + log[-MAX_MESSAGE + 1 :]

    @cached_property
    def _console(self) -> list[LogRecord]:
        records = LogRecord.split(self._step.log_lines)
        return [record for record in records if record.level != "debug"]

    @cached_property
    def _debug_log(self) -> list[LogRecord]:
        return list(LogRecord.split(self._step.debug_log_lines))

    @cached_property
    def _shown(self) -> list[LogRecord]:
        """The messages of the console, without warnings if dbt names an error."""
        if any(record.is_fatal for record in self._console):
            return [record for record in self._console if not record.is_warning]
        return self._console

    @cached_property
    def _fatal_place(self) -> int:
        """The place of the error that dbt names, behind the last message if it names none."""
        places = (place for place, record in enumerate(self._shown) if record.is_fatal)
        return next(places, len(self._shown))

    def _explained(self, node: NodeResult) -> NodeResult:
        errors = self._errors(node)
        if not errors:
            return node
        # Each of several errors is shortened: together they have to fit where a message is shown.
        counts = f"{node.message.strip()}: " if "(" in node.message else ""
        room = (MAX_MESSAGE - len(counts)) // len(errors) - len("; ")
        text = errors[0] if len(errors) == 1 else "; ".join(one_line(error, room) for error in errors)
        return replace(node, message=counts + text)

    def _errors(self, node: NodeResult) -> list[str]:
        """Return the first different errors of a node: of events that name it, or else of the plain text."""
        for find in (_errors_of_events, _errors_in_text):
            for records in (self._debug_log, self._console):
                if found := _distinct(find(records, node)):
                    return found[:_MAX_MESSAGES]
        return []


def _errors_of_events(records: Iterable[LogRecord], node: NodeResult) -> Iterator[str]:
    for record in records:
        of_operation = not record.unique_id and _operation_error(record, node)
        if record.error and (record.unique_id == node.unique_id or of_operation):
            yield _batch_error(record.error) or record.error


def _errors_in_text(records: Iterable[LogRecord], node: NodeResult) -> Iterator[str]:
    """Yield what a log in plain text says of a failed node."""
    named = re.compile(rf"\w+ Error in {re.escape(node.kind)} {re.escape(node.name)} \(")
    batches = _BatchErrors()
    for record in records:
        error = _batch_error(record.text)
        if found := _operation_error(record, node):
            yield found
        elif named.match(error or record.text):
            yield error or record.text
        if error:
            batches.add_error(error, record.thread)
        elif result := _BATCH_FAILED.match(record.text):
            batches.add_result(_identifier(result["relation"]), record.thread)
    yield from batches.found[_identifier(node.relation or node.name)]


def _operation_error(record: LogRecord, node: NodeResult) -> str:
    found = _OPERATION_FAILED.match(record.text) if node.kind in _OPERATION_KINDS else None
    return found["error"].strip() if found else ""


def _batch_error(text: str) -> str:
    found = _BATCH_ERROR.match(text)
    return found["error"].strip() if found else ""


class _BatchErrors:
    """Finds out which model's batches have logged which errors.

    An error comes before the result of its batch, which names the model. Other threads may log between the
    two. The errors then count only if all results up to there are of one model.

    Attributes:
        found: The errors by the model's relation.
    """

    def __init__(self) -> None:
        self.found: defaultdict[str, list[str]] = defaultdict(list)
        self._errors: defaultdict[str, list[str]] = defaultdict(list)
        self._relations: defaultdict[str, list[str]] = defaultdict(list)

    def add_error(self, error: str, thread: str) -> None:
        """Add the error of a batch that is not known yet."""
        self._errors[thread].append(error)

    def add_result(self, relation: str, thread: str) -> None:
        """Add the failed batch of a relation."""
        self._relations[thread].append(relation)
        if len(self._relations[thread]) >= len(self._errors[thread]):
            errors, relations = self._errors.pop(thread), self._relations.pop(thread)
            if len(set(relations)) == 1:
                self.found[relation] += errors


def _identifier(relation: str) -> str:
    """Return the last part of a relation's name, which may be quoted."""
    return re.split(r"[.\"`\[\]]+", relation.strip('"`[]'))[-1].casefold()


def _distinct(errors: Iterable[str]) -> list[str]:
    """Return the errors that differ in more than numbers, as temporary tables' names do."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(re.sub(r"\d+", "0", error), error)
    return list(found.values())

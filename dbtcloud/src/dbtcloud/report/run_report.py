"""The report of a finished run: its steps, its nodes, their results, and what could not be read.

It formats itself as log lines, a one-sentence summary, Markdown, and JSON that fits into an XCom.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step

LOG_TAIL_LINES = 30
"""Lines of a failed step's log that a report shows; dbt lists its errors at the end."""

MAX_XCOM_BYTES = 40_000
"""Size of a report in an XCom, as JSON."""

_MAX_LIST_BYTES = 8_000  # of each list of texts beside the nodes: failed steps, gaps, log lines
_MAX_ROWS = 50  # nodes in the table of a log
_MAX_MESSAGE = 300  # characters of a node's message in a table or a summary
_MAX_NAMED = 3  # failed nodes that a summary names


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a run and of its nodes.

    Attributes:
        run: The run with its steps.
        nodes: The last result of each node, in dbt's order.
        gaps: Sentences about what could not be read.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """Nodes that failed."""
        return tuple(node for node in self.nodes if node.failed)

    @property
    def failures_first(self) -> list[NodeResult]:
        """The nodes in the order failed, skipped, warned, successful."""
        order = {"skipped": 1, "warn": 2}
        return sorted(self.nodes, key=lambda node: 0 if node.failed else order.get(node.status, 3))

    @property
    def skipped(self) -> tuple[NodeResult, ...]:
        """Nodes that dbt skipped because another node failed."""
        return tuple(node for node in self.nodes if node.status == "skipped")

    @property
    def saved(self) -> tuple[NodeResult, ...]:
        """Nodes whose execution dbt State saved: nothing had changed, or it cloned them."""
        return tuple(node for node in self.nodes if node.saved)

    @property
    def left_to_do(self) -> tuple[NodeResult, ...]:
        """Nodes that a retry from failure would execute: none unless the run ended in error."""
        left = (*self.failed, *self.skipped) if self.run.status == RunStatus.ERROR else ()
        return tuple(node for node in left if node.kind != "operation")

    @property
    def totals(self) -> Mapping[str, int]:
        """The number of nodes by status, the most frequent status first."""
        return dict(Counter(node.status for node in self.nodes).most_common())

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """Steps that ended in error.

        If no step did and the run did not succeed either, the last step.
        """
        failed = tuple(step for step in self.run.steps if step.status == RunStatus.ERROR)
        last = () if self.run.status == RunStatus.SUCCESS else self.run.steps[-1:]
        return failed or last

    @property
    def outcome(self) -> str:
        """A sentence about how the run ended, with dbt Cloud's own message."""
        words = self.run.status_message or self.run.data.get("status_humanized")
        message = f" {words}" if words and words != RunStatus.name_of(self.run.status) else ""
        return f"dbt Cloud run {self.run.id} ended with status {RunStatus.name_of(self.run.status)}.{message}"

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last log lines of the failed steps, or none if a node failed: its message says more."""
        steps = () if self.failed else self.failed_steps
        return tuple(line for step in steps for line in step.log_lines[-LOG_TAIL_LINES:])

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as plain values, of any size."""
        return {
            "run_id": self.run.id,
            "status": RunStatus.name_of(self.run.status),
            "message": self.run.status_message,
            "url": self.run.href,
            "totals": dict(self.totals),
            "left_to_do": len(self.left_to_do),
            "saved": len(self.saved),
            "failed_steps": [step.name for step in self.failed_steps],
            "log_tail": list(self.log_tail),
            "nodes": [_node_dict(node) for node in self.failures_first],
            "gaps": list(self.gaps),
        }

    def log_lines(self) -> list[str]:
        """Return the report as log lines: the outcome, a table of the nodes, and what the table lacks.

        Failed nodes come first. The log of a failed step follows only if no node failed.
        """
        return [
            self.outcome,
            *([f"Nodes: {self._totals()}."] if self.nodes else []),
            *([self._savings()] if self.saved else []),
            *self._table(),
            *([self._retry_hint()] if self.left_to_do else []),
            *(line for step in self.failed_steps if not self.failed for line in _step_lines(step)),
            *self.gaps,
            *([f"See {self.run.href}"] if self.run.href else []),
        ]

    def failure_summary(self) -> str:
        """Return what failed in one or two sentences, or "" if nothing failed.

        It names the first failed nodes. If no node failed, it names the failed steps and quotes the end of
        their log.
        """
        if not self.failed:
            return self._failed_steps()
        named = "; ".join(_reason(node) for node in self.failed[:_MAX_NAMED])
        more = len(self.failed) - _MAX_NAMED
        failed = f"Failed: {named}{f'; and {more} more' if more > 0 else ''}."
        return f"{failed} {self._retry_hint()}" if self.left_to_do else failed

    def to_markdown(self) -> str:
        """Return the report as Markdown, with a table of the nodes."""
        rows = (f"| {' | '.join(map(_cell, _cells(node)))} |" for node in self.failures_first)
        head = ["| status | node | seconds | rows | message | compiled code |", "|---|---|---:|---:|---|---|"]
        link = f"[{self.outcome}]({self.run.href})" if self.run.href else self.outcome
        parts = [
            [f"### {link}"],
            [f"Nodes: {self._totals()}."] if self.nodes else [],
            [self._savings()] if self.saved else [],
            [*head, *rows] if self.nodes else [],
            ["````text", *self.log_tail, "````"] if self.log_tail else [],
            [f"- {gap}" for gap in self.gaps],
        ]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def to_json(self, max_bytes: int = MAX_XCOM_BYTES) -> dict[str, Any]:
        """Return the report as plain values, shortened until their JSON has at most `max_bytes` bytes.

        Nodes that do not fit are left out, the successful ones first: `left_out` counts them, and
        `left_out_by_status` counts them by status. A text that was cut ends in "…".
        """
        whole = self.to_dict()
        nodes = [{**node, "message": _cut_end(node.get("message", ""))} for node in whole["nodes"]]
        head = {name: _bounded(value) for name, value in whole.items() if name != "nodes"}
        kept, left_out = len(nodes), Counter[str]()
        # json.dumps escapes all but ASCII, so its characters are bytes. Two objects encoded apart have as
        # many bytes as one object with the fields of both: "}{" is as long as ", ".
        size = len(json.dumps({**head, "nodes": nodes}))
        while kept and size + len(json.dumps(_counts(left_out))) > max_bytes:
            kept -= 1
            left_out[nodes[kept]["status"]] += 1
            size -= len(json.dumps(nodes[kept])) + len(", ")
        return {**head, "nodes": nodes[:kept], **_counts(left_out)}

    def _failed_steps(self) -> str:
        if not self.failed_steps:
            return ""
        names = ", ".join(step.name for step in self.failed_steps)
        log = " ".join(" ".join(self.log_tail).split())
        end = f" End of its log: {_cut_start(log)}" if log else ""
        return f"Failed in: {names}.{end}"

    def _retry_hint(self) -> str:
        return f"A retry from failure would execute {_nodes(len(self.left_to_do))}."

    def _savings(self) -> str:
        counts = Counter(node.status for node in self.saved).most_common()
        statuses = ", ".join(f"{count} {status}" for status, count in counts)
        return f"dbt State saved the execution of {_nodes(len(self.saved))}: {statuses}."

    def _totals(self) -> str:
        return ", ".join(f"{count} {status}" for status, count in self.totals.items())

    def _table(self) -> Iterator[str]:
        nodes = self.failures_first
        shown = nodes[:_MAX_ROWS]
        status_width = max((len(node.status) for node in shown), default=0)
        width = max((len(_title(node)) for node in shown), default=0)
        for node in shown:
            rows = "" if node.rows is None else f"{node.rows} rows"
            times = f"{node.seconds:>7.2f} s {rows:>12}"
            yield f"  {node.status:<{status_width}} {_title(node):<{width}} {times}  {_remark(node)}".rstrip()
        if len(nodes) > len(shown):
            yield f"  … and {len(nodes) - len(shown)} more"


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _node_dict(node: NodeResult) -> dict[str, Any]:
    fields = {
        "unique_id": node.unique_id,
        "status": node.status,
        "seconds": round(node.seconds, 3),
        "message": node.message,
        "rows": node.rows,
        "failures": node.failures,
        "relation": node.relation,
        "compiled_path": node.compiled_path,
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _counts(left_out: Counter[str]) -> dict[str, Any]:
    return {"left_out": left_out.total(), "left_out_by_status": dict(left_out)}


def _bounded(value: Any) -> Any:
    """Return a value of the report's head with its texts cut: dbt and dbt Cloud set no limit to them."""
    if not isinstance(value, list):
        return _cut_end(value) if isinstance(value, str) else value
    # Of a list the last texts are kept, since a log ends with its errors.
    sizes = accumulate(len(json.dumps(_cut_end(text))) + 2 for text in reversed(value))
    fitting = sum(size <= _MAX_LIST_BYTES for size in sizes)
    return [_cut_end(text) for text in value[len(value) - fitting :]]


def _title(node: NodeResult) -> str:
    return f"{node.kind} {node.name}"


def _remark(node: NodeResult) -> str:
    """Return the node's message and compiled code, or "" for a success, whose message is only "OK"."""
    is_shown = node.failed or node.status not in {"success", "pass", "skipped"}
    return _with_code(node, _one_line(node)) if is_shown else ""


def _reason(node: NodeResult) -> str:
    return f"{_title(node)}: {_with_code(node, _one_line(node) or node.status)}"


def _with_code(node: NodeResult, text: str) -> str:
    return f"{text} ({node.compiled_path})" if node.compiled_path and node.failed else text


def _cells(node: NodeResult) -> tuple[object, ...]:
    rows = "" if node.rows is None else node.rows
    return node.status, _title(node), f"{node.seconds:.1f}", rows, _one_line(node), node.compiled_path or ""


def _cell(value: object) -> str:
    return str(value).replace("|", " ")


def _one_line(node: NodeResult) -> str:
    return _cut_end(" ".join(node.message.split()))


def _cut_end(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


def _cut_start(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else "…" + text[-_MAX_MESSAGE + 1 :]


def _step_lines(step: Step) -> list[str]:
    return [
        f"Step {step.index}, {step.name}: {RunStatus.name_of(step.status)}",
        *(f"  {line}" for line in step.log_lines[-LOG_TAIL_LINES:]),
    ]

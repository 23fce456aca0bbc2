"""The report of a finished run: its steps, its nodes, their results, and what could not be read.

It formats itself as log lines, a one-sentence summary, Markdown, HTML, rows, and JSON that fits into an XCom.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, Step
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.failed_steps import find_failed_steps
from dbtcloud.report.html_table import html_link, html_table
from dbtcloud.report.shortened_text import one_line, shorten
from dbtcloud.report.step_log import StepLog

MAX_XCOM_BYTES = 40_000
"""Size of a report in an XCom, as JSON."""

_MAX_LIST_BYTES = 8_000  # of each list of texts beside the nodes: failed steps, gaps, log lines
_MAX_ROWS = 50  # nodes in the table of a log
_MAX_NAMED = 3  # failed nodes that a summary names
_COLUMNS = ("status", "node", "seconds", "rows", "message", "compiled code")


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a run and of its nodes.

    Attributes:
        run: The run with its steps.
        nodes: The last result of each node, in dbt's order.
        gaps: Sentences about what could not be read.
        node_steps: The index of the step that each node's result is of, by unique id.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    gaps: tuple[str, ...] = ()
    node_steps: Mapping[str, int] = field(default_factory=dict, repr=False)

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
        """Nodes that a retry from failure would execute: none unless the run ended in error.

        Hooks and the macro of `dbt run-operation` are no such nodes: they run with their command.
        """
        left = (*self.failed, *self.skipped) if self.run.status == RunStatus.ERROR else ()
        return tuple(node for node in left if node.kind not in {"operation", "macro"})

    @property
    def totals(self) -> Mapping[str, int]:
        """The number of nodes by status, the most frequent status first."""
        return dict(Counter(node.status for node in self.nodes).most_common())

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """Steps for which the run did not succeed: those that ended in error, or else the last one.

        None if the run succeeded. A step that dbt Cloud tolerates is none of them: source freshness and docs
        that the job's settings add may fail (dbt: "Job commands").
        """
        return find_failed_steps(self.run)

    @property
    def outcome(self) -> str:
        """A sentence about how the run ended, with dbt Cloud's own message, or that it has not ended."""
        if not self.run.finished:
            return f"dbt Cloud run {self.run.id} has not ended yet: {self.run.status_humanized}."
        words = self.run.status_message or self.run.data.get("status_humanized")
        message = f" {words}" if words and words != RunStatus.name_of(self.run.status) else ""
        return f"dbt Cloud run {self.run.id} ended with status {RunStatus.name_of(self.run.status)}.{message}"

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last log lines of the failed steps, or none if the messages of failed nodes say more."""
        return tuple(line for step in self._unexplained_steps for line in StepLog(step).tail)

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

        Failed nodes come first. The log of a failed step follows only if no message of a node says why.
        """
        return [
            self.outcome,
            *([f"Nodes: {self._totals()}."] if self.nodes else []),
            *([self._savings()] if self.saved else []),
            *self._table(),
            *([self._retry_hint()] if self.left_to_do else []),
            *(line for step in self._unexplained_steps for line in _step_lines(step)),
            *self.gaps,
            *([f"See {self.run.href}"] if self.run.href else []),
        ]

    def failure_summary(self) -> str:
        """Return what failed in one or two sentences, or "" if nothing failed.

        It names the first failed nodes. If they do not say why, it names the failed steps and quotes the
        error in their log, or the end of it.
        """
        parts = [self._failed_nodes(), self._retry_hint() if self.left_to_do else "", self._failed_steps()]
        return " ".join(filter(None, parts))

    def to_markdown(self) -> str:
        """Return the report as Markdown, with a table of the nodes."""
        rows = (f"| {' | '.join(map(_cell, _cells(node)))} |" for node in self.failures_first)
        head = [f"| {' | '.join(_COLUMNS)} |", "|---|---|---:|---:|---|---|"]
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

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one row per node in dbt's order, for `pandas.DataFrame` or `csv.DictWriter`.

        All rows have the same columns. What dbt did not write is None.
        """
        return [_row(self.run.id, node, self.node_steps.get(node.unique_id)) for node in self.nodes]

    def to_html(self) -> str:
        """Return the report as HTML, with a table of the nodes, failures first. A notebook shows it."""
        nodes = self.failures_first
        rows = [[str(cell) for cell in _cells(node)] for node in nodes[:_MAX_ROWS]]
        more = f"… and {len(nodes) - _MAX_ROWS} more" if len(nodes) > _MAX_ROWS else ""
        notes = filter(None, (more, *self.log_tail, *self.gaps))
        return "\n".join(
            [
                f"<p>{html_link(self.outcome, self.run.href)}</p>",
                *([f"<p>Nodes: {escape(self._totals())}.</p>"] if self.nodes else []),
                *([html_table(_COLUMNS, rows)] if rows else []),
                *(f"<div>{escape(note)}</div>" for note in notes),
            ]
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_json(self, max_bytes: int = MAX_XCOM_BYTES) -> dict[str, Any]:
        """Return the report as plain values, shortened until their JSON has at most `max_bytes` bytes.

        Nodes that do not fit are left out, the successful ones first: `left_out` counts them, and
        `left_out_by_status` counts them by status. A text that was cut has a "…" in it.
        """
        whole = self.to_dict()
        nodes = [{**node, "message": shorten(node.get("message", ""))} for node in whole["nodes"]]
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

    @property
    def _unexplained_steps(self) -> tuple[Step, ...]:
        """The failed steps, or none if each failed node has a message that says why."""
        explained = self.failed and all(node.has_reason for node in self.failed)
        return () if explained else self.failed_steps

    def _failed_nodes(self) -> str:
        if not self.failed:
            return ""
        named = "; ".join(_reason(node) for node in self.failed[:_MAX_NAMED])
        more = len(self.failed) - _MAX_NAMED
        return f"Failed: {named}{f'; and {more} more' if more > 0 else ''}."

    def _failed_steps(self) -> str:
        steps = self._unexplained_steps
        if not steps:
            return ""
        names = ", ".join(one_line(step.name) for step in steps[:_MAX_NAMED])
        causes = " ".join(filter(None, (StepLog(step).cause for step in steps)))
        end = f" End of its log: {causes}" if causes else ""
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


def _row(run_id: int, node: NodeResult, step: int | None) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "unique_id": node.unique_id,
        "kind": node.kind,
        "name": node.name,
        "package": node.package,
        "status": node.status,
        "seconds": node.seconds,
        "rows": node.rows,
        "failures": node.failures,
        "message": node.message or None,
        "relation": node.relation,
        "compiled_path": node.compiled_path,
        "step": step,
    }


def _counts(left_out: Counter[str]) -> dict[str, Any]:
    return {"left_out": left_out.total(), "left_out_by_status": dict(left_out)}


def _bounded(value: Any) -> Any:
    """Return a value of the report's head with its texts cut: dbt and dbt Cloud set no limit to them."""
    if not isinstance(value, list):
        return shorten(value) if isinstance(value, str) else value
    # Of a list the last texts are kept, since a log ends with its errors.
    sizes = accumulate(len(json.dumps(shorten(text))) + 2 for text in reversed(value))
    fitting = sum(size <= _MAX_LIST_BYTES for size in sizes)
    return [shorten(text) for text in value[len(value) - fitting :]]


def _title(node: NodeResult) -> str:
    return f"{one_line(node.kind)} {one_line(node.name)}"


def _remark(node: NodeResult) -> str:
    """Return the node's message and compiled code, or "" for a success, whose message is only "OK"."""
    is_shown = node.failed or node.status not in {"success", "pass", "skipped"}
    return _with_code(node, one_line(node.message)) if is_shown else ""


def _reason(node: NodeResult) -> str:
    return f"{_title(node)}: {_with_code(node, one_line(node.message) or one_line(node.status))}"


def _with_code(node: NodeResult, text: str) -> str:
    return f"{text} ({one_line(node.compiled_path)})" if node.compiled_path and node.failed else text


def _cells(node: NodeResult) -> tuple[object, ...]:
    rows = "" if node.rows is None else node.rows
    return (
        node.status,
        _title(node),
        f"{node.seconds:.1f}",
        rows,
        one_line(node.message),
        node.compiled_path or "",
    )


def _cell(value: object) -> str:
    return str(value).replace("|", " ")


def _step_lines(step: Step) -> list[str]:
    return [
        f"Step {step.index}, {step.name}: {RunStatus.name_of(step.status)}",
        *(f"  {line}" for line in StepLog(step).tail),
    ]

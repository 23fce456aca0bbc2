"""Formats of a run's report: log lines, a one-sentence summary, Markdown, and JSON that fits into an XCom."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Step, status_name
from dbtcloud.report.run_report import LOG_TAIL_LINES, RunReport

MAX_XCOM_BYTES = 40_000
"""Size of a report in an XCom, as JSON."""

_MAX_LIST_BYTES = 8_000  # of each list of texts beside the nodes: failed steps, gaps, log lines
_MAX_ROWS = 50  # nodes in the table of a log
_MAX_MESSAGE = 300  # characters of a node's message in a table or a summary
_MAX_NAMED = 3  # failed nodes that a summary names


def report_log_lines(report: RunReport) -> list[str]:
    """Return the report as log lines: the outcome, a table of the nodes, and what the table lacks.

    Failed nodes come first. The log of a failed step follows only if no node failed.
    """
    return [
        report.outcome,
        *([f"Nodes: {_totals(report)}."] if report.nodes else []),
        *_table(report),
        *([_retry_hint(report)] if report.left_to_do else []),
        *(line for step in report.failed_steps if not report.failed for line in _step_lines(step)),
        *report.gaps,
        *([f"See {report.run.href}"] if report.run.href else []),
    ]


def failure_summary(report: RunReport) -> str:
    """Return what failed in one or two sentences, or "" if nothing failed.

    It names the first failed nodes. If no node failed, it names the failed steps and quotes the end of their
    log.
    """
    if not report.failed:
        return _failed_steps(report)
    named = "; ".join(_reason(node) for node in report.failed[:_MAX_NAMED])
    more = len(report.failed) - _MAX_NAMED
    failed = f"Failed: {named}{f'; and {more} more' if more > 0 else ''}."
    return f"{failed} {_retry_hint(report)}" if report.left_to_do else failed


def _failed_steps(report: RunReport) -> str:
    if not report.failed_steps:
        return ""
    names = ", ".join(step.name for step in report.failed_steps)
    log = " ".join(" ".join(report.log_tail).split())
    end = f" End of its log: {_cut_start(log)}" if log else ""
    return f"Failed in: {names}.{end}"


def _retry_hint(report: RunReport) -> str:
    count = len(report.left_to_do)
    return f"A retry from failure would execute {count} node{'' if count == 1 else 's'}."


def to_markdown(report: RunReport) -> str:
    """Return the report as Markdown, with a table of the nodes."""
    rows = (f"| {' | '.join(map(_cell, _cells(node)))} |" for node in report.failures_first)
    head = ["| status | node | seconds | rows | message | compiled code |", "|---|---|---:|---:|---|---|"]
    link = f"[{report.outcome}]({report.run.href})" if report.run.href else report.outcome
    parts = [
        [f"### {link}"],
        [f"Nodes: {_totals(report)}."] if report.nodes else [],
        [*head, *rows] if report.nodes else [],
        ["````text", *report.log_tail, "````"] if report.log_tail else [],
        [f"- {gap}" for gap in report.gaps],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def to_json(report: RunReport, max_bytes: int = MAX_XCOM_BYTES) -> dict[str, Any]:
    """Return the report as plain values, shortened until their JSON has at most `max_bytes` bytes.

    Nodes that do not fit are left out, the successful ones first: `left_out` counts them, and
    `left_out_by_status` counts them by status. A text that was cut ends in "…".
    """
    whole = report.to_dict()
    nodes = [{**node, "message": _cut_end(node.get("message", ""))} for node in whole["nodes"]]
    head = {name: _bounded(value) for name, value in whole.items() if name != "nodes"}
    kept, left_out = len(nodes), Counter[str]()
    # json.dumps escapes all but ASCII, so its characters are bytes. Two objects encoded apart have as many
    # bytes as one object with the fields of both: "}{" is as long as ", ".
    size = len(json.dumps({**head, "nodes": nodes}))
    while kept and size + len(json.dumps(_counts(left_out))) > max_bytes:
        kept -= 1
        left_out[nodes[kept]["status"]] += 1
        size -= len(json.dumps(nodes[kept])) + len(", ")
    return {**head, "nodes": nodes[:kept], **_counts(left_out)}


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


def _totals(report: RunReport) -> str:
    return ", ".join(f"{count} {status}" for status, count in report.totals.items())


def _table(report: RunReport) -> Iterator[str]:
    nodes = report.failures_first
    shown = nodes[:_MAX_ROWS]
    status_width = max((len(node.status) for node in shown), default=0)
    width = max((len(_title(node)) for node in shown), default=0)
    for node in shown:
        rows = "" if node.rows is None else f"{node.rows} rows"
        times = f"{node.seconds:>7.2f} s {rows:>12}"
        yield f"  {node.status:<{status_width}} {_title(node):<{width}} {times}  {_remark(node)}".rstrip()
    if len(nodes) > len(shown):
        yield f"  … and {len(nodes) - len(shown)} more"


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
        f"Step {step.index}, {step.name}: {status_name(step.status)}",
        *(f"  {line}" for line in step.log_lines[-LOG_TAIL_LINES:]),
    ]

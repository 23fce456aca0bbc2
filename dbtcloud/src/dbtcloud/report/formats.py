"""Shows a run's report: as lines of a log, as a sentence, as Markdown, and as JSON that fits an XCom."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Step, status_name
from dbtcloud.report.run_report import RunReport, step_log_tail

MAX_XCOM_BYTES = 40_000
"""Bytes of a report in an XCom."""

_MAX_ROWS = 50
"""Nodes in a log's table."""

_MAX_MESSAGE = 300
"""Characters of a node's message in a table or sentence."""

_MAX_NAMED = 3
"""Failed nodes that a sentence names."""

_MAX_LIST_BYTES = 8_000
"""Bytes that each list of texts beside the nodes may have in an XCom: steps, gaps, lines of a log."""


def report_log_lines(report: RunReport) -> list[str]:
    """The report as log lines: the outcome, failures first in a table, then what no node tells."""
    return [
        report.outcome,
        *([f"Nodes: {_totals(report)}."] if report.nodes else []),
        *_table(report),
        *([_left_to_do(report)] if report.left_to_do else []),
        *(line for step in report.failed_steps if not report.failed for line in _step(step)),
        *report.gaps,
        *([f"See {report.run.href}"] if report.run.href else []),
    ]


def failure_summary(report: RunReport) -> str:
    """What failed: the first nodes, or else the step with the end of its log; "" where nothing did."""
    if not report.failed:
        steps = ", ".join(step.name for step in report.failed_steps)
        words = " ".join(" ".join(report.log_tail).split())
        ends = f" Its log ends: {_end_of(words)}" if words else ""
        return f"It failed in: {steps}.{ends}" if steps else ""
    named = "; ".join(_reason(node) for node in report.failed[:_MAX_NAMED])
    more = len(report.failed) - _MAX_NAMED
    told = f"Failed: {named}{f'; and {more} more' if more > 0 else ''}."
    return f"{told} {_left_to_do(report)}" if report.left_to_do else told


def _left_to_do(report: RunReport) -> str:
    count = len(report.left_to_do)
    return f"A retry from failure would execute {count} node{'' if count == 1 else 's'}."


def to_markdown(report: RunReport) -> str:
    """The report as Markdown, with a table of the nodes."""
    rows = (f"| {' | '.join(map(_cell, _cells(node)))} |" for node in _ordered(report))
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


def to_json(report: RunReport, most: int = MAX_XCOM_BYTES) -> dict[str, Any]:
    """The report as plain values, of `most` bytes of JSON.

    `left_out` counts the nodes beyond, and `left_out_by_status` says what became of them. A text that was cut
    ends in "…".
    """
    whole = report.to_dict()
    nodes = [{**node, "message": _cut(node.get("message", ""))} for node in whole["nodes"]]
    by_status = Counter(node["status"] for node in nodes)
    kept: list[dict[str, Any]] = []
    bounded = {name: _bounded(value) for name, value in whole.items() if name != "nodes"}
    size = len(json.dumps({**bounded, "nodes": [], "left_out": len(nodes), "left_out_by_status": by_status}))
    for node in nodes:
        size += len(json.dumps(node)) + 2
        if size > most:
            break
        kept.append(node)
    by_status -= Counter(node["status"] for node in kept)
    return {
        **bounded,
        "nodes": kept,
        "left_out": len(nodes) - len(kept),
        "left_out_by_status": dict(by_status),
    }


def _bounded(value: Any) -> Any:
    """A value of the report's head, whose texts come from elsewhere and may be of any length."""
    if not isinstance(value, list):
        return _cut(value) if isinstance(value, str) else value
    sizes = accumulate(len(json.dumps(_cut(text))) + 2 for text in reversed(value))
    fitting = sum(size <= _MAX_LIST_BYTES for size in sizes)
    return [_cut(text) for text in value[len(value) - fitting :]]


def _totals(report: RunReport) -> str:
    return ", ".join(f"{count} {status}" for status, count in report.totals.items())


def _table(report: RunReport) -> Iterator[str]:
    nodes = _ordered(report)
    shown = nodes[:_MAX_ROWS]
    status_width = max((len(node.status) for node in shown), default=0)
    width = max((len(_title(node)) for node in shown), default=0)
    for node in shown:
        rows = "" if node.rows is None else f"{node.rows} rows"
        times = f"{node.seconds:>7.2f} s {rows:>12}"
        yield f"  {node.status:<{status_width}} {_title(node):<{width}} {times}  {_told(node)}".rstrip()
    if len(nodes) > len(shown):
        yield f"  … and {len(nodes) - len(shown)} more"


def _ordered(report: RunReport) -> list[NodeResult]:
    by_id = {node.unique_id: node for node in report.nodes}
    return [by_id[node["unique_id"]] for node in report.to_dict()["nodes"]]


def _title(node: NodeResult) -> str:
    return f"{node.kind} {node.name}"


def _told(node: NodeResult) -> str:
    """What went wrong, and in which code; of a success the message is only the database's "OK"."""
    told = node.failed or node.status not in {"success", "pass", "skipped"}
    return _with_code(node, _one_line(node)) if told else ""


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
    return _cut(" ".join(node.message.split()))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


def _end_of(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else "…" + text[-_MAX_MESSAGE + 1 :]


def _step(step: Step) -> list[str]:
    return [
        f"Step {step.index}, {step.name}: {status_name(step.status)}",
        *(f"  {line}" for line in step_log_tail(step)),
    ]

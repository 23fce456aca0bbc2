"""Shows a run's report: as lines of a log, as a sentence, as Markdown, and as JSON that fits an XCom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_dbt_cloud.artifacts.run_results import NodeResult
from airflow_dbt_cloud.client.models import Step, status_name
from airflow_dbt_cloud.report.run_report import TAIL, RunReport

MOST_BYTES = 40_000
"""Bytes of a report in an XCom."""

MOST_ROWS = 50
"""Nodes in a log's table."""

LONGEST_MESSAGE = 300
"""Characters of a node's message in a table or sentence."""

TOP = 3
"""Failed nodes that a sentence names."""


def lines(report: RunReport) -> list[str]:
    """The report as log lines: the outcome, failures first in a table, then what no node tells."""
    totals = ", ".join(f"{count} {status}" for status, count in report.totals.items())
    return [
        report.outcome,
        *([f"Nodes: {totals}."] if totals else []),
        *_table(report),
        *(line for step in report.failed_steps if not report.failed for line in _step(step)),
        *report.gaps,
        *([f"See {report.run.href}"] if report.run.href else []),
    ]


def summary(report: RunReport) -> str:
    """What failed, in one sentence; "" where no node did."""
    if not report.failed:
        steps = ", ".join(step.name for step in report.failed_steps)
        return f"It failed in: {steps}." if steps else ""
    named = "; ".join(f"{_title(node)}: {_one_line(node) or node.status}" for node in report.failed[:TOP])
    more = len(report.failed) - TOP
    return f"Failed: {named}{f'; and {more} more' if more > 0 else ''}."


def to_markdown(report: RunReport) -> str:
    """The report as Markdown, with a table of the nodes."""
    rows = (
        f"| {node.status} | {_title(node)} | {node.seconds:.1f} | {_one_line(node).replace('|', ' ')} |"
        for node in _ordered(report)
    )
    table = ["| status | node | seconds | message |", "|---|---|---:|---|", *rows] if report.nodes else []
    link = f"[{report.outcome}]({report.run.href})" if report.run.href else report.outcome
    return "\n".join([f"### {link}", "", *table, *report.gaps])


def to_json(report: RunReport, most: int = MOST_BYTES) -> dict[str, Any]:
    """The report as plain values, of `most` bytes of JSON; `left_out` counts the nodes beyond."""
    whole = report.to_dict()
    nodes = [{**node, "message": _cut(node.get("message", ""))} for node in whole["nodes"]]
    kept = {**whole, "nodes": [], "left_out": len(nodes)}
    size = len(json.dumps(kept))
    for node in nodes:
        size += len(json.dumps(node)) + 2
        if size > most:
            break
        kept["nodes"].append(node)
    return {**kept, "left_out": len(nodes) - len(kept["nodes"])}


def _table(report: RunReport) -> Iterator[str]:
    nodes = _ordered(report)
    shown = nodes[:MOST_ROWS]
    width = max((len(_title(node)) for node in shown), default=0)
    for node in shown:
        rows = "" if node.rows is None else f"{node.rows} rows"
        times = f"{node.seconds:>7.2f} s {rows:>12}"
        yield f"  {node.status:<8} {_title(node):<{width}} {times}  {_told(node)}".rstrip()
    if len(nodes) > len(shown):
        yield f"  … and {len(nodes) - len(shown)} more"


def _ordered(report: RunReport) -> list[NodeResult]:
    by_id = {node.unique_id: node for node in report.nodes}
    return [by_id[node["unique_id"]] for node in report.to_dict()["nodes"]]


def _title(node: NodeResult) -> str:
    return f"{node.kind} {node.name}"


def _told(node: NodeResult) -> str:
    """The message where it tells something; of a success it is the database's "OK"."""
    return _one_line(node) if node.failed or node.status == "warn" else ""


def _one_line(node: NodeResult) -> str:
    return _cut(" ".join(node.message.split()))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def _step(step: Step) -> Iterable[str]:
    tail = (step.logs or "").strip().splitlines()[-TAIL:]
    return [f"Step {step.index}, {step.name}: {status_name(step.status)}", *(f"  {line}" for line in tail)]

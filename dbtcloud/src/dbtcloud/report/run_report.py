"""The report of a finished run: its steps, its nodes, their results, and what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step, status_name

LOG_TAIL_LINES = 30
"""Lines of a failed step's log that a report shows; dbt lists its errors at the end."""


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
        message = f" {words}" if words and words != status_name(self.run.status) else ""
        return f"dbt Cloud run {self.run.id} ended with status {status_name(self.run.status)}.{message}"

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last log lines of the failed steps, or none if a node failed: its message says more."""
        steps = () if self.failed else self.failed_steps
        return tuple(line for step in steps for line in step.log_lines[-LOG_TAIL_LINES:])

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as plain values, of any size."""
        return {
            "run_id": self.run.id,
            "status": status_name(self.run.status),
            "message": self.run.status_message,
            "url": self.run.href,
            "totals": dict(self.totals),
            "left_to_do": len(self.left_to_do),
            "failed_steps": [step.name for step in self.failed_steps],
            "log_tail": list(self.log_tail),
            "nodes": [_node_dict(node) for node in self.failures_first],
            "gaps": list(self.gaps),
        }


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

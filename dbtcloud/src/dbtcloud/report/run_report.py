"""A finished run in one value: which steps and nodes there were, what became of them, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step, status_name

LOG_TAIL_LINES = 30
"""Lines of a failed step's log that are worth showing: dbt sums up its errors at the end."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run.

    Attributes:
        run: The run with its steps.
        nodes: Each node's last result, in dbt's order.
        gaps: What could not be read, in words.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """Nodes that did not become what they should."""
        return tuple(node for node in self.nodes if node.failed)

    @property
    def skipped(self) -> tuple[NodeResult, ...]:
        """Nodes that were not tried because of another's failure."""
        return tuple(node for node in self.nodes if node.status == "skipped")

    @property
    def left_to_do(self) -> tuple[NodeResult, ...]:
        """Nodes that a retry from the run's failure executes again; none where it did not end in error."""
        left = (*self.failed, *self.skipped) if self.run.status == RunStatus.ERROR else ()
        return tuple(node for node in left if node.kind != "operation")

    @property
    def totals(self) -> Mapping[str, int]:
        """How many nodes have which status, the most frequent first."""
        return dict(Counter(node.status for node in self.nodes).most_common())

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """Steps that ended in error; where none is marked so, the last step of a run without success."""
        marked = tuple(step for step in self.run.steps if step.status == RunStatus.ERROR)
        unmarked = () if self.run.status == RunStatus.SUCCESS else self.run.steps[-1:]
        return marked or unmarked

    @property
    def outcome(self) -> str:
        """How the run ended, in dbt Cloud's words."""
        words = self.run.status_message or self.run.data.get("status_humanized")
        said = f" {words}" if words and words != status_name(self.run.status) else ""
        return f"dbt Cloud run {self.run.id} ended with status {status_name(self.run.status)}.{said}"

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The end of the failed steps' own logs, where no node tells what went wrong."""
        steps = () if self.failed else self.failed_steps
        return tuple(line for step in steps for line in step_log_tail(step))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, all of them, however much that is."""
        return {
            "run_id": self.run.id,
            "status": status_name(self.run.status),
            "message": self.run.status_message,
            "url": self.run.href,
            "totals": dict(self.totals),
            "left_to_do": len(self.left_to_do),
            "failed_steps": [step.name for step in self.failed_steps],
            "log_tail": list(self.log_tail),
            "nodes": [_node_dict(node) for node in _failures_first(self.nodes)],
            "gaps": list(self.gaps),
        }


def step_log_tail(step: Step) -> list[str]:
    """The last lines of a step's log, without empty ones and colours."""
    lines = (_COLOUR.sub("", line).rstrip() for line in (step.logs or "").splitlines())
    return [line for line in lines if line][-LOG_TAIL_LINES:]


def _failures_first(nodes: tuple[NodeResult, ...]) -> list[NodeResult]:
    order = {"skipped": 1, "warn": 2}
    return sorted(nodes, key=lambda node: 0 if node.failed else order.get(node.status, 3))


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

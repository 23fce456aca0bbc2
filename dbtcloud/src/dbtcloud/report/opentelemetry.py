"""OpenTelemetry attributes of a run's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.run_report import RunReport

Attributes: TypeAlias = dict[str, str | int | float | list[str]]
"""Attributes of a span, a log record or a measurement (OpenTelemetry specification: "Attribute")."""


def run_attributes(report: RunReport) -> Attributes:
    """Return the attributes of the run: ids, outcome, number of nodes by status, and what failed."""
    run = report.run
    counts = {f"dbt.nodes.{_name_part(status)}": count for status, count in report.totals.items()}
    return _without_none(
        {
            "dbt.cloud.run.id": run.id,
            "dbt.cloud.job.id": run.job_id,
            "dbt.cloud.run.status": RunStatus.name_of(run.status),
            "dbt.cloud.run.message": run.status_message,
            "url.full": run.href,
            **counts,
            "dbt.nodes": len(report.nodes),
            "dbt.nodes_failed": [node.unique_id for node in report.failed],
            "dbt.steps_failed": [step.name for step in report.failed_steps],
        }
    )


def node_attributes(node: NodeResult) -> Attributes:
    """Return the attributes of one node, for a span or a log record of its own."""
    return _without_none(
        {
            "dbt.node.id": node.unique_id,
            "dbt.node.status": node.status,
            "dbt.node.seconds": node.seconds,
            "dbt.node.message": node.message or None,
            "dbt.node.rows": node.rows,
            "dbt.node.failures": node.failures,
            "dbt.node.relation": node.relation,
            "dbt.node.compiled_path": node.compiled_path,
        }
    )


def _without_none(values: Mapping[str, str | int | float | list[str] | None]) -> Attributes:
    return {name: value for name, value in values.items() if value is not None}


def _name_part(status: str) -> str:
    return status.replace(" ", "_").replace("-", "_")

"""Says in log lines how a run ended and which of its steps failed."""

from __future__ import annotations

from airflow_dbt_cloud.client.models import Run, RunStatus, Step, status_name

TAIL = 30
"""Lines of a failed step's log that are worth showing: dbt's summary of errors is at its end."""


def failure_lines(run: Run) -> list[str]:
    """The run's outcome in dbt Cloud's words, then each failed step with the end of its log."""
    said = run.status_message or run.data.get("status_humanized") or ""
    outcome = f"dbt Cloud run {run.id} ended with status {status_name(run.status)}. {said}".rstrip()
    failed = [step for step in run.steps if step.status == RunStatus.ERROR] or list(run.steps[-1:])
    return [outcome, *(line for step in failed for line in _step_lines(step)), *_place(run)]


def _step_lines(step: Step) -> list[str]:
    tail = [f"  {line}" for line in (step.logs or "").strip().splitlines()[-TAIL:]]
    return [f"Step {step.index}, {step.name}: {status_name(step.status)}", *tail]


def _place(run: Run) -> list[str]:
    return [f"See {run.href}"] if run.href else []

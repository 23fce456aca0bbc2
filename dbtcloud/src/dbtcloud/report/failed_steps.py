"""Finds the steps for which a run failed, apart from those whose failure dbt Cloud tolerates."""

from __future__ import annotations

from dbtcloud.client.models import Run, Step
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.dbt_command import DbtCommand

# The second one is the name of the command in dbt before 0.21, the third one that in dbt 2.0.
_FRESHNESS = frozenset({"source freshness", "source snapshot-freshness", "freshness"})


def find_failed_steps(run: Run) -> tuple[Step, ...]:
    """Return the steps for which a run did not succeed: those in error, or else the last one.

    A run ends at the first command of its job that fails. Source freshness before the commands and docs after
    them, which the job's settings add, may fail without that (dbt: "Job commands"). The answer does not say
    who added a step, but what came before and after it does.
    """
    if run.status == RunStatus.SUCCESS:
        return ()
    failed: list[Step] = []
    for step in run.steps:
        if step.status == RunStatus.ERROR and not _is_tolerated(run, step, failed):
            failed.append(step)
    return tuple(failed) or tuple(step for step in run.steps[-1:] if step.status != RunStatus.ERROR)


def _is_tolerated(run: Run, step: Step, failed: list[Step]) -> bool:
    """Return whether the run went on after a step in error, or had failed before it."""
    command = DbtCommand.subcommand_of(step.dbt_command or "")
    if command == "docs generate":
        return bool(failed)
    return command in _FRESHNESS and _went_on(run, step)


def _went_on(run: Run, step: Step) -> bool:
    if run.status != RunStatus.ERROR:
        return True
    # A step that was not reached may be listed, but has not run.
    ran = {RunStatus.RUNNING, RunStatus.SUCCESS, RunStatus.ERROR}
    return any(later.index > step.index and later.status in ran for later in run.steps)

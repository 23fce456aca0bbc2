"""Reads from dbt Cloud what the retry plan of a run needs."""

from __future__ import annotations

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client import endpoints
from dbtcloud.client.models import Run, RunStatus
from dbtcloud.client.protocol import Call, Id
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.retry_plan import NARROWABLE, RetryPlan
from dbtcloud.report.run_report_reader import DbtStep

_MAX_RETRIES = 20  # runs to go back from a retry of a retry to the command that failed first


def read_retry_plan(account_id: Id, run_id: Id) -> Call[RetryPlan]:
    """Read a run, its job and the results of its steps, and return its retry plan.

    Raises:
        DbtCloudError: If the run or one of its results cannot be read: half a plan would be a wrong one.
        ValueError: If results are not valid.
    """
    related = ["run_steps", "trigger", "job"]
    run = yield from endpoints.get_run(account_id, run_id, include_related=related)
    results: dict[int, tuple[NodeResult, ...]] = {}
    for step in run.steps if run.status != RunStatus.SUCCESS else ():
        if DbtCommand.subcommand_of(step.dbt_command or "") in NARROWABLE | {"retry"}:
            results[step.index] = yield from DbtStep(step).read_results(account_id, run.id)
    return RetryPlan.of_run(run, results, original=(yield from _original_command(account_id, run)))


def _original_command(account_id: Id, run: Run) -> Call[str | None]:
    """Return the command that `dbt retry` in the run repeated: the one that failed in the run it retries."""
    for _ in range(_MAX_RETRIES):
        retried = run.retried_run_id
        if not retried:
            break
        run = yield from endpoints.get_run(account_id, retried, include_related=["run_steps"])
        failed = [step.dbt_command or "" for step in run.steps if step.status == RunStatus.ERROR]
        if failed and DbtCommand.subcommand_of(failed[-1]) not in {"", "retry"}:
            return failed[-1]
    return None

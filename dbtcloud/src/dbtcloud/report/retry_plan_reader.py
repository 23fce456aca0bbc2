"""Asks dbt Cloud for what a retry plan is made of."""

from __future__ import annotations

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.models import Run, RunStatus
from dbtcloud.client.protocol import Call
from dbtcloud.report.dbt_command import step_command, subcommand_of
from dbtcloud.report.retry_plan import NARROWABLE, RetryPlan, make_retry_plan
from dbtcloud.report.run_report_reader import read_step_results

_MAX_RETRIES = 20
"""How many runs back the command is looked for that a retry of retries goes on with."""


def read_retry_plan(account_id: Id, run_id: Id) -> Call[RetryPlan]:
    """The retry plan of a run, from its steps, the results of each that builds, and its job's commands.

    Raises:
        DbtCloudError: If the run or one of its results cannot be read; half of a plan is none.
        ValueError: If results are not as dbt writes them.
    """
    related = ["run_steps", "trigger", "job"]
    run = yield from endpoints.get_run(account_id, run_id, include_related=related)
    results: dict[int, tuple[NodeResult, ...]] = {}
    for step in run.steps if run.status != RunStatus.SUCCESS else ():
        if subcommand_of(step_command(step) or "") in NARROWABLE | {"retry"}:
            results[step.index] = yield from read_step_results(account_id, run.id, step)
    return make_retry_plan(run, results, original=(yield from _original(account_id, run)))


def _original(account_id: Id, run: Run) -> Call[str | None]:
    """The command that `dbt retry` in a run stands for: the one that failed in the run that it retries."""
    for _ in range(_MAX_RETRIES):
        retried = run.retried_run_id
        if not retried:
            break
        run = yield from endpoints.get_run(account_id, retried, include_related=["run_steps"])
        failed = [step_command(step) or "" for step in run.steps if step.status == RunStatus.ERROR]
        if failed and subcommand_of(failed[-1]) not in {"", "retry"}:
            return failed[-1]
    return None

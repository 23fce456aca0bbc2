"""Execute one run: its steps in order, most of them a dbt process."""

import asyncio

from dbtcloud.core.environment import DbtEnvironment
from dbtcloud.core.requirements import resolve_requirements
from dbtcloud.core.runner_errors import RunnerError
from dbtcloud.local.execution.cancellation import StopRequest
from dbtcloud.local.execution.steps import RunStep, RunSteps
from dbtcloud.local.model.records import CANCELLED_BY_USER, Status
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan

__all__ = ["Outcome", "RunObserver", "RunPlan", "execute"]


async def execute(plan: RunPlan, observer: RunObserver, cancelled: asyncio.Event) -> Outcome:
    """Execute a run and return its outcome, also when dbt fails.

    Args:
        plan: The run. No other run may use its environment, because DuckDB allows one writer.
        observer: Receives each change of the run.
        cancelled: When set, the process group of dbt gets SIGINT, and the run ends in status 30.
    """
    observer.starting()
    try:
        requirements = resolve_requirements(plan.dbt_version, plan.setup.adapters, plan.setup.packages)
        dbt = await StopRequest.run_unless_set(cancelled, DbtEnvironment.create(requirements))
    except RunnerError as error:
        return _report_no_dbt(observer, str(error))
    if dbt is None:
        return Outcome(Status.CANCELLED, CANCELLED_BY_USER)
    observer.running()
    async with StopRequest.watching(cancelled, plan.timeout_seconds) as stop:
        steps = RunSteps(plan, dbt, stop, observer)
        try:
            return await _run_steps(steps, observer, stop)
        finally:
            steps.clean_up()


def _report_no_dbt(observer: RunObserver, message: str) -> Outcome:
    observer.running()
    observer.step_started(1, "Prepare dbt", None)
    observer.step_log(1, f"{message}\n")
    observer.step_finished(1, Status.ERROR)
    return Outcome(Status.ERROR, message)


async def _run_steps(steps: RunSteps, observer: RunObserver, stop: StopRequest) -> Outcome:
    for index, step in enumerate(steps, start=1):
        observer.step_started(index, step.name, step.command)
        failure = await _run_step(index, step, observer)
        observer.step_finished(index, _step_status(failure, stop))
        if stop.reason:
            return Outcome(Status.CANCELLED, stop.reason)
        if failure and step.fails_run:
            return Outcome(Status.ERROR, failure)
    return Outcome(Status.SUCCESS, None)


async def _run_step(index: int, step: RunStep, observer: RunObserver) -> str | None:
    """Run one step and return None, or a message if it failed."""
    try:
        code = await step.run(index, lambda text: observer.step_log(index, text))
    except (RunnerError, OSError) as error:
        observer.step_log(index, f"{error}\n")
        return str(error)
    return f"Step {index}, {step.name}, ended with exit code {code}." if code else None


def _step_status(failure: str | None, stop: StopRequest) -> Status:
    if failure is None:
        return Status.SUCCESS
    return Status.CANCELLED if stop.reason else Status.ERROR

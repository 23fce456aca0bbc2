"""One run of a dbt Cloud job, really executed: its steps in order, each one a dbt process."""

import asyncio

from dbtcloud.core import environment
from dbtcloud.core.requirements import requirements
from dbtcloud.core.runner_errors import RunnerError
from dbtcloud.local.execution.cancellation import Stop, stopping, unless_set
from dbtcloud.local.execution.steps import DbtStep, DbtSteps
from dbtcloud.local.model.records import CANCELLED_BY_USER, Status
from dbtcloud.local.model.run_plan import Outcome, RunObserver, RunPlan

__all__ = ["Outcome", "RunObserver", "RunPlan", "execute"]


async def execute(plan: RunPlan, observer: RunObserver, cancelled: asyncio.Event) -> Outcome:
    """Execute a run and say how it ended; a dbt that fails is an outcome, not an exception.

    Args:
        plan: The run. Its environment must be no other run's meanwhile: DuckDB has one writer.
        observer: Is told each change.
        cancelled: When set, dbt's process group gets SIGINT and the run ends in 30.
    """
    observer.starting()
    try:
        wanted = requirements(plan.dbt_version, plan.setup.adapters)
        dbt = await unless_set(cancelled, environment.make(wanted))
    except RunnerError as error:
        return _not_prepared(observer, str(error))
    if dbt is None:
        return Outcome(Status.CANCELLED, CANCELLED_BY_USER)
    observer.running()
    async with stopping(cancelled, plan.timeout_seconds) as stop:
        steps = DbtSteps(plan, dbt, stop, observer)
        try:
            return await _run(steps, observer, stop)
        finally:
            steps.tidy()


def _not_prepared(observer: RunObserver, message: str) -> Outcome:
    observer.running()
    observer.step_started(1, "Prepare dbt", None)
    observer.step_log(1, f"{message}\n")
    observer.step_finished(1, Status.ERROR)
    return Outcome(Status.ERROR, message)


async def _run(steps: DbtSteps, observer: RunObserver, stop: Stop) -> Outcome:
    for index, step in enumerate(steps, start=1):
        observer.step_started(index, step.name, step.command)
        failure = await _failure(index, step, observer)
        observer.step_finished(index, _status(failure, stop))
        if stop.reason:
            return Outcome(Status.CANCELLED, stop.reason)
        if failure and step.decisive:
            return Outcome(Status.ERROR, failure)
    return Outcome(Status.SUCCESS, None)


async def _failure(index: int, step: DbtStep, observer: RunObserver) -> str | None:
    """Do one step; None when it went well, else what went wrong."""
    try:
        code = await step.act(index, lambda text: observer.step_log(index, text))
    except (RunnerError, OSError) as error:
        observer.step_log(index, f"{error}\n")
        return str(error)
    return f"Step {index}, {step.name}, ended with exit code {code}." if code else None


def _status(failure: str | None, stop: Stop) -> Status:
    if failure is None:
        return Status.SUCCESS
    return Status.CANCELLED if stop.reason else Status.ERROR

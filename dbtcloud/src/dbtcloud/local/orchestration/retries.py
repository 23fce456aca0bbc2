"""Whether a run can be taken up at its failure, and what that would do."""

from dbtcloud.local.model.records import JobRecord, RunRecord, Status, StepRecord
from dbtcloud.local.orchestration.artifacts import has_artifact
from dbtcloud.local.orchestration.cloud import Cloud

NOT_FAILED = "RETRY_NOT_FAILED_RUN"
NOT_LATEST = "RETRY_NOT_LATEST_RUN"
NO_RUN_RESULTS = "RETRY_NO_RUN_RESULTS"
UNSUPPORTED_COMMAND = "RETRY_UNSUPPORTED_CMD"

_RETRYABLE = frozenset(
    {"build", "clone", "compile", "docs", "run", "run-operation", "seed", "snapshot", "test"}
)
"""What ``dbt retry`` knows to go on with."""

_OTHERS = frozenset({"clean", "debug", "deps", "init", "list", "ls", "parse", "retry", "show", "source"})


def refusal(cloud: Cloud, run: RunRecord, newest_id: int | None) -> str | None:
    """Return why a run cannot be retried (`retry_not_supported_reason`), or None when it can.

    Args:
        cloud: the local dbt Cloud.
        run: the run in question.
        newest_id: the newest run of its job.
    """
    if run.status(cloud.clock.now()) is not Status.ERROR:
        return NOT_FAILED
    if newest_id is not None and newest_id > run.id:
        return NOT_LATEST
    command = failed_command(cloud, run)
    if command and not _is_retryable(command):
        return UNSUPPORTED_COMMAND
    return None if has_artifact(cloud, run, "run_results.json") else NO_RUN_RESULTS


def retry(cloud: Cloud, job: JobRecord, run: RunRecord) -> RunRecord:
    """Start a run that takes this one up at its failure: the same overrides, and a cause that says so."""
    trigger = {**run.trigger, "cause": f"Rerun of run {run.id} from its failure", "cause_category": "rerun"}
    return cloud.start(job, trigger, retrying=run)


def failed_step(steps: list[StepRecord]) -> StepRecord | None:
    """Return the step that failed the run: the last, since the freshness of sources may fail before it."""
    return next((step for step in reversed(steps) if step.status is Status.ERROR), None)


def failed_command(cloud: Cloud, run: RunRecord) -> str | None:
    """Return the command that failed; ``dbt retry`` stands for the one that failed in the run it retries."""
    step = failed_step(cloud.steps(run))
    if step is None or step.command != "dbt retry" or run.retrying_run_id is None:
        return step.command if step else None
    retried = cloud.store.runs.get(run.retrying_run_id)
    return failed_command(cloud, retried) if retried else None


def skipped_steps(cloud: Cloud, run: RunRecord) -> list[str]:
    """Return the job's commands that the failure kept from running."""
    job, command = cloud.store.definitions.get(JobRecord, run.job_id), failed_command(cloud, run)
    commands = list(run.trigger.get("steps_override") or (job.execute_steps if job else ()))
    return commands[commands.index(command) + 1 :] if command in commands else []


def _is_retryable(command: str) -> bool:
    known = (word for word in command.split()[1:] if word in _RETRYABLE | _OTHERS)
    return next(known, None) in _RETRYABLE

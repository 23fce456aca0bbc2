"""Retry a failed run from its failed step."""

from dbtcloud.local.model.records import JobRecord, RunRecord, Status, StepRecord
from dbtcloud.local.orchestration.artifacts import has_artifact
from dbtcloud.local.orchestration.cloud import Cloud

_NOT_FAILED = "RETRY_NOT_FAILED_RUN"
_NOT_LATEST = "RETRY_NOT_LATEST_RUN"
_NO_RUN_RESULTS = "RETRY_NO_RUN_RESULTS"
_UNSUPPORTED_COMMAND = "RETRY_UNSUPPORTED_CMD"

# The commands that ``dbt retry`` supports.
_RETRYABLE = frozenset(
    {"build", "clone", "compile", "docs", "run", "run-operation", "seed", "snapshot", "test"}
)
_NOT_RETRYABLE = frozenset(
    {"clean", "debug", "deps", "init", "list", "ls", "parse", "retry", "show", "source"}
)


def retry_refusal_reason(cloud: Cloud, run: RunRecord, newest_id: int | None) -> str | None:
    """Return the `retry_not_supported_reason` of a run, or None if it can be retried.

    Args:
        cloud: the local dbt Cloud.
        run: the run.
        newest_id: the id of the newest run of its job.
    """
    if run.status(cloud.clock.now()) is not Status.ERROR:
        return _NOT_FAILED
    if newest_id is not None and newest_id > run.id:
        return _NOT_LATEST
    command = _failed_command(cloud, run)
    if command and not _is_retryable(command):
        return _UNSUPPORTED_COMMAND
    return None if has_artifact(cloud, run, "run_results.json") else _NO_RUN_RESULTS


def start_retry(cloud: Cloud, job: JobRecord, run: RunRecord) -> RunRecord:
    """Start a run that retries another one with the same overrides."""
    trigger = {**run.trigger, "cause": f"Rerun of run {run.id} from its failure", "cause_category": "rerun"}
    return cloud.start(job, trigger, retrying=run)


def failed_step(steps: list[StepRecord]) -> StepRecord | None:
    """Return the step that failed the run."""
    # The last one: a failure of `dbt source freshness` before it does not fail the run.
    return next((step for step in reversed(steps) if step.status is Status.ERROR), None)


def _failed_command(cloud: Cloud, run: RunRecord) -> str | None:
    """Return the failed command. For ``dbt retry``, this is the failed command of the retried run."""
    step = failed_step(cloud.steps(run))
    if step is None or step.command != "dbt retry" or run.retrying_run_id is None:
        return step.command if step else None
    retried = cloud.store.runs.get(run.retrying_run_id)
    return _failed_command(cloud, retried) if retried else None


def skipped_steps(cloud: Cloud, run: RunRecord) -> list[str]:
    """Return the commands that did not run because of the failure."""
    job, command = cloud.store.definitions.get(JobRecord, run.job_id), _failed_command(cloud, run)
    commands = list(run.trigger.get("steps_override") or (job.execute_steps if job else ()))
    return commands[commands.index(command) + 1 :] if command in commands else []


def _is_retryable(command: str) -> bool:
    known = (word for word in command.split()[1:] if word in _RETRYABLE | _NOT_RETRYABLE)
    return next(known, None) in _RETRYABLE

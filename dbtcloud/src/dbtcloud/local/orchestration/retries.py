"""Retry a failed run from its failed step."""

from dataclasses import dataclass

from dbtcloud.local.model.records import JobRecord, RunRecord, Status, StepRecord
from dbtcloud.local.orchestration.artifacts import RunArtifacts
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


@dataclass(frozen=True, slots=True)
class RunRetry:
    """The retry of one run.

    Attributes:
        cloud: the local dbt Cloud.
        run: the run to retry.
    """

    cloud: Cloud
    run: RunRecord

    def refusal_reason(self, newest_id: int | None) -> str | None:
        """Return the `retry_not_supported_reason` of the run, or None if it can be retried.

        Args:
            newest_id: the id of the newest run of its job.
        """
        if self.run.status(self.cloud.clock.now()) is not Status.ERROR:
            return _NOT_FAILED
        if newest_id is not None and newest_id > self.run.id:
            return _NOT_LATEST
        command = self.failed_command()
        if command and not _is_retryable(command):
            return _UNSUPPORTED_COMMAND
        has_results = RunArtifacts(self.cloud, self.run).has("run_results.json")
        return None if has_results else _NO_RUN_RESULTS

    def start(self, job: JobRecord) -> RunRecord:
        """Start a run that retries this one with the same overrides."""
        cause = f"Rerun of run {self.run.id} from its failure"
        trigger = {**self.run.trigger, "cause": cause, "cause_category": "rerun"}
        return self.cloud.start(job, trigger, retrying=self.run)

    @property
    def failed_step(self) -> StepRecord | None:
        """The step that failed the run."""
        # The last one: a failure of `dbt source freshness` before it does not fail the run.
        steps = reversed(self.cloud.steps(self.run))
        return next((step for step in steps if step.status is Status.ERROR), None)

    def skipped_commands(self) -> list[str]:
        """Return the commands that did not run because of the failure."""
        job, command = self.cloud.store.definitions.get(JobRecord, self.run.job_id), self.failed_command()
        commands = list(self.run.trigger.get("steps_override") or (job.execute_steps if job else ()))
        return commands[commands.index(command) + 1 :] if command in commands else []

    def failed_command(self) -> str | None:
        """Return the command of the failed step. For ``dbt retry``, this is the command that it repeated."""
        step = self.failed_step
        if step is None or step.command != "dbt retry" or self.run.retrying_run_id is None:
            return step.command if step else None
        retried = self.cloud.store.runs.get(self.run.retrying_run_id)
        return RunRetry(self.cloud, retried).failed_command() if retried else None


def _is_retryable(command: str) -> bool:
    known = (word for word in command.split()[1:] if word in _RETRYABLE | _NOT_RETRYABLE)
    return next(known, None) in _RETRYABLE

"""Starts a run of a job once over all tries of a task, or finds the run to follow instead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Protocol

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.run.reuse import decide_reuse
from airflow_dbt_cloud.operators.run.starter import RunStarter, Started, StartingTask
from airflow_dbt_cloud.operators.run.task_state import TaskState, marker_of
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import UNFINISHED, Run, status_name
from dbtcloud.client.run_start import SEARCH_DELAYS

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dbtcloud.report.retry_plan import RetryPlan


class JobTask(StartingTask, Protocol):
    """The attributes of an operator that a start of a job uses."""

    task_id: str
    if_running: str
    on_retry: str
    retry_from_failure: bool | Literal["steps"]


class JobStarter(RunStarter):
    """Starts a run of a job.

    Args:
        task: The operator whose arguments and hook are used.
        context: Airflow's context of the try.
        job_id: The job.
        overrides: Fields of the request; a `cause` among them takes precedence over `cause`.
        cause: Why the run is started.
        extended: Whether a subclass does more than the operator itself. Then the success of an earlier try's
            run is not the success of its task, and the task may start several runs.
    """

    def __init__(
        self,
        task: JobTask,
        context: Context,
        job_id: int | str,
        overrides: dict[str, Any],
        cause: str,
        *,
        extended: bool,
    ) -> None:
        super().__init__(task)
        self.job_id, self.overrides, self.cause = job_id, overrides, cause
        self._policy, self._from_failure = task.if_running, task.retry_from_failure
        self._adopts, self._extended = task.on_retry == "adopt", extended
        # An operator within a task of the user's own may be one of several.
        self._is_only_start = not extended and getattr(context.get("ti"), "task_id", None) == task.task_id
        self._state = TaskState(context)
        self._dag_run_start = self._state.dag_run_start()
        self.marker = marker_of(context, self._dag_run_start, job_id, overrides)
        self._cancelled: set[int] = set()
        self._failed: Run | None = None

    def obtain_run(self) -> Started:
        """Return the run to follow: of an earlier try, one that is running already, a retry, or a new one.

        Raises:
            AirflowSkipException: If the job is running already and `if_running` is "skip".
            DbtCloudJobRunException: If the job is running already and `if_running` is "fail".
            DbtCloudApiException: If dbt Cloud refuses.
        """
        return (
            self._of_earlier_try() or self._already_running() or self._from_failed_run() or self.start_new()
        )

    def start_new(self) -> Started:
        """Start a run, whatever runs there are."""
        self._stop_if_killed()
        overrides = dict(self.overrides)
        self._is_submitted = lambda run: Marker.find(run.cause) == self.marker
        with self.hook.marked_by(self.marker), self._state.submitting(str(self.marker)):
            answer = self.hook.trigger_job_run(
                account_id=self.account_id,
                job_id=self.job_id,
                cause=self.cause,
                steps_override=overrides.pop("steps_override", None),
                schema_override=overrides.pop("schema_override", None),
                additional_run_config=overrides,
            )
        return Started(answer.json()["data"])

    def _of_earlier_try(self) -> Started | None:
        """Return the run of an earlier try if this one adopts it, and cancel runs that nobody will follow."""
        if self.marker.attempt <= 1:
            return None
        decision = decide_reuse(
            self.marker,
            self._find_runs_of_earlier_tries(),
            reuse_finished=self._adopts and not self._extended,
            reuse_unfinished=self._adopts,
            is_only_start=self._is_only_start,
        )
        self._cancelled, self._failed = {run.id for run in decision.to_cancel}, decision.failed
        for run in decision.to_cancel:
            self.log.info(
                "Cancelling run %s: an earlier try started it, and this try does not follow it.", run.id
            )
            self.hook.cancel_job_run(run_id=run.id, account_id=self.account_id)
        if decision.adopted is not None:
            self.log.info("Adopting run %s: %s.", decision.adopted.id, decision.reason)
            return Started(decision.adopted.data, adopted=True)
        if not (self._from_failure and self._failed):
            self.log.info(
                "Starting a new run: %s.", decision.reason if self._adopts else "on_retry is 'rerun'"
            )
        return None

    def _find_runs_of_earlier_tries(self) -> list[Run]:
        """Return the runs of this task, after waiting for one that an earlier try requested in vain."""
        submitted, found = self._state.submitted(), self._find_runs()
        for delay in SEARCH_DELAYS if submitted else ():
            if any(
                submitted in {str(Marker.find(run.cause)), f"retry of {run.retried_run_id}"} for run in found
            ):
                break
            self.log.info(
                "The run that an earlier try requested is not listed yet; searching again in %g s.", delay
            )
            time.sleep(delay)
            found = self._find_runs()
        return found

    def _find_runs(self) -> list[Run]:
        """Return the runs that carry this task's marker, and where the task makes retries, all retries.

        A retry carries no marker. Where this task makes none, somebody else has started them.
        """
        from airflow_dbt_cloud.hooks.verbs.run_request import SKEW, horizon

        def may_be_ours(run: Run) -> bool:
            marker = Marker.find(run.cause)
            is_retry = bool(self._from_failure) and run.retried_run_id is not None
            return is_retry or (marker is not None and marker.task == self.marker.task)

        since = self._dag_run_start - SKEW if self._dag_run_start else horizon()
        return self.hook.find_job_runs(self.job_id, since, may_be_ours, account_id=self.account_id)

    def _already_running(self) -> Started | None:
        """Apply `if_running` to the unfinished runs of the job, and return None to start a new run."""
        if self._policy == "queue" or not (running := self._running()):
            return None
        run = running[0]
        what = (
            f"Job {self.job_id} is running already: run {run['id']} is {status_name(run['status']).lower()}, "
            f"and if_running is {self._policy!r}"
        )
        if self._policy == "skip":
            raise AirflowSkipException(f"{what}.")
        if self._policy == "fail":
            raise DbtCloudJobRunException(f"{what}. Wait for it, or choose another if_running.")
        self.log.info("%s.", what)
        if self._policy == "attach":
            return Started(run, owned=False)
        for other in running:
            self.hook.cancel_job_run(run_id=other["id"], account_id=self.account_id)
        return None

    def _running(self) -> list[dict[str, Any]]:
        """Return the unfinished runs of the job, newest first, whoever started them."""
        query = {
            "job_definition_id": self.job_id,
            "status__in": str(sorted(map(int, UNFINISHED))),
            "order_by": "-created_at",
            # Runs that were just cancelled may still be listed; one more is enough to attach to.
            "limit": 1 + len(self._cancelled) if self._policy == "attach" else 100,
        }
        answer = self.hook.get_job_runs(account_id=self.account_id, payload=query)
        return [run for run in answer.json()["data"] or () if run["id"] not in self._cancelled]

    def _from_failed_run(self) -> Started | None:
        """Retry the failed run of an earlier try, where the task asks for it and dbt Cloud can do it."""
        if not self._from_failure or self._failed is None:
            return None
        failed = self._failed.id
        plan = self._log_retry_plan(failed)
        self._stop_if_killed()
        try:
            with self._state.submitting(f"retry of {failed}"):  # a retry carries no marker
                started = self._retry_run(failed)
        except DbtCloudApiException as error:
            if not isinstance(error.error, NotRetryable):
                raise
            self._is_submitted = None
            self._replace_retry(plan, str(error))
            return None
        self.log.info("Retrying run %s from its failure, with the overrides of that run.", failed)
        return started

    def _replace_retry(self, plan: RetryPlan | None, why: str) -> None:
        """Log what is started in place of a retry that dbt Cloud refuses."""
        if self._from_failure == "steps" and plan is not None and plan.commands:
            self.overrides = {**self.overrides, "steps_override": list(plan.commands)}
            self.log.info("%s Starting a new run with the commands of its retry plan.", why)
        else:
            self.log.info("%s Starting a new run.", why)

"""Obtain the run that a task follows: start a job or retry a run, once over all tries of the task."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.run.reuse import ReuseDecision
from airflow_dbt_cloud.operators.run.task_state import TaskState
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import UNFINISHED, Run, RunStatus
from dbtcloud.client.run_start import SEARCH_DELAYS

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.report.retry_plan import RetryPlan

_KILL_SEARCH_DELAYS = (0.0, 0.5, 1.0, 1.0)
"""Seconds before each search of a killed task for the run that it was starting; it has about five in all."""


@dataclass(frozen=True, slots=True)
class Started:
    """The run that a task follows.

    Attributes:
        run: The run as dbt Cloud describes it.
        owned: Whether this task started it, in this or an earlier try; only then may the task cancel it.
        adopted: Whether an earlier try started it. If such a run ends cancelled, the cancelling was meant for
            that try, and a new run takes its place.
    """

    run: Mapping[str, Any]
    owned: bool = True
    adopted: bool = False


class RunStarter(ABC):
    """Obtains the run that a task follows.

    Args:
        task: The operator. Its `hook`, `log`, `account_id` and `stop_if_killed` are used.
    """

    def __init__(self, task: Any) -> None:
        self.hook: DbtCloudHook = task.hook
        self.log, self.account_id = task.log, task.account_id
        self._stop_if_killed = task.stop_if_killed
        self._is_submitted: Callable[[Run], bool] | None = None

    @abstractmethod
    def obtain_run(self) -> Started:
        """Return a run that there is already, where the task may follow it, or else start one."""

    @abstractmethod
    def start_new(self) -> Started:
        """Start a run, whatever runs there are."""

    @abstractmethod
    def _find_runs(self) -> list[Run]:
        """Return the runs that this task may have started."""

    def find_submitted(self) -> Run | None:
        """Return the run that was requested and whose answer has not arrived, or None."""
        if self._is_submitted is None:
            return None
        for delay in _KILL_SEARCH_DELAYS:  # the request may still be on its way
            time.sleep(delay)
            for run in filter(self._is_submitted, self._find_runs()):
                return run
        return None

    def _retry_run(self, run_id: int) -> Started:
        """Start a run that continues where a run failed.

        Raises:
            DbtCloudApiException: If dbt Cloud refuses; its `error` is a `NotRetryable` with the reason.
        """
        self._is_submitted = lambda run: run.retried_run_id == run_id
        answer = self.hook.retry_job_run(run_id=run_id, account_id=self.account_id)
        return Started(answer.json()["data"])

    def _log_retry_plan(self, run_id: int) -> RetryPlan | None:
        """Log what a retry of a run is going to execute, and return it, or None if it cannot be read."""
        try:
            plan = self.hook.get_job_run_retry_plan(run_id=run_id, account_id=self.account_id)
            for line in plan.log_lines():
                self.log.info(line)
        except Exception as error:  # noqa: BLE001 -- the plan is for the reader of the log only
            self.log.warning("Could not read what a retry of run %s is going to execute: %s", run_id, error)
            return None
        return plan


class JobStarter(RunStarter):
    """Starts a run of a job.

    Args:
        task: The operator. Its `if_running`, `on_retry`, `retry_from_failure` and `task_id` are used too.
        context: Airflow's context of the try.
        job_id: The job.
        overrides: Fields of the request; a `cause` among them takes precedence over `cause`.
        cause: Why the run is started.
        extended: Whether a subclass does more than the operator itself. Then the success of an earlier try's
            run is not the success of its task, and the task may start several runs.
    """

    def __init__(
        self,
        task: Any,
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
        self.marker = self._state.make_marker(job_id, overrides)
        self._cancelled: set[int] = set()
        self._failed: Run | None = None

    def obtain_run(self) -> Started:
        """Return the run to follow: of an earlier try, one that is running already, a retry, or a new one.

        Raises:
            AirflowSkipException: If the job is running already and `if_running` is "skip".
            DbtCloudJobRunException: If the job is running already and `if_running` is "fail".
            DbtCloudApiException: If dbt Cloud refuses.
        """
        if self.marker.attempt > 1 and (started := self._adopt()):
            return started
        if self._policy != "queue" and (started := self._apply_policy()):
            return started
        if self._from_failure and self._failed and (started := self._continue_failed(self._failed.id)):
            return started
        return self.start_new()

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

    def _adopt(self) -> Started | None:
        """Return the run of an earlier try if this one adopts it, and cancel runs that nobody will follow."""
        decision = ReuseDecision.of_runs(
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
        from airflow_dbt_cloud.hooks.verbs.runs import SKEW, horizon

        def may_be_ours(run: Run) -> bool:
            marker = Marker.find(run.cause)
            is_retry = bool(self._from_failure) and run.retried_run_id is not None
            return is_retry or (marker is not None and marker.task == self.marker.task)

        since = self._state.dag_run_start - SKEW if self._state.dag_run_start else horizon()
        return self.hook.find_job_runs(self.job_id, since, may_be_ours, account_id=self.account_id)

    def _apply_policy(self) -> Started | None:
        """Apply `if_running` to the unfinished runs of the job, and return None to start a new run."""
        running = self._find_unfinished_runs()
        if not running:
            return None
        run = running[0]
        status = RunStatus.name_of(run["status"]).lower()
        what = (
            f"Job {self.job_id} is running already: run {run['id']} is {status}, "
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

    def _find_unfinished_runs(self) -> list[dict[str, Any]]:
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

    def _continue_failed(self, failed: int) -> Started | None:
        """Retry the failed run of an earlier try, or return None to start a new run if dbt Cloud refuses."""
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


class RetryStarter(RunStarter):
    """Retries a run from its failure.

    Args:
        task: The operator.
        failed: The run that failed.
        is_first_try: Whether no earlier try of the task can have retried it.
    """

    def __init__(self, task: Any, failed: Run, *, is_first_try: bool) -> None:
        super().__init__(task)
        self.failed, self._is_first_try = failed, is_first_try

    def obtain_run(self) -> Started:
        """Return the retry that an earlier try started, unless it failed too, or else start one.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run.
        """
        last = self._last_of_chain()
        if last.id == self.failed.id or (last.finished and last.status != RunStatus.SUCCESS):
            return self._retry(last)
        state = "succeeded" if last.finished else "is still running"
        self.log.info("Adopting run %s: it retries run %s, and %s.", last.id, self.failed.id, state)
        return Started(last.data)

    def start_new(self) -> Started:
        """Retry the last run of the chain, whatever its status."""
        return self._retry(self._last_of_chain())

    def _retry(self, failed: Run) -> Started:
        plan = self._log_retry_plan(failed.id)
        self._stop_if_killed()
        try:
            return self._retry_run(failed.id)
        except DbtCloudApiException as error:
            if plan is None or not plan.commands or not isinstance(error.error, NotRetryable):
                raise
            advice = "Run the job again, or with the commands of the retry plan as steps_override."
            raise DbtCloudApiException(f"{error} {advice}", error=error.error) from error.error

    def _last_of_chain(self) -> Run:
        """Return the failed run, or the last retry that earlier tries of the task have made of it."""
        return self.failed if self._is_first_try else self.failed.last_retry(self._find_runs())

    def _find_runs(self) -> list[Run]:
        """Return the runs of the job since the failed one that retry another."""
        from airflow_dbt_cloud.hooks.verbs.runs import SKEW, horizon

        since = self.failed.created_at - SKEW if self.failed.created_at else horizon()
        job_id = self.failed.job_id
        assert job_id is not None
        return self.hook.find_job_runs(
            job_id, since, lambda run: run.retried_run_id is not None, account_id=self.account_id
        )

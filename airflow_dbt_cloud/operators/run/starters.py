"""Obtain the run that a task follows: start a job, once over all tries of the task."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.run.earlier_runs import EarlierRuns
from airflow_dbt_cloud.operators.run.reuse import ReuseDecision, failed_before
from airflow_dbt_cloud.operators.run.task_state import TaskState
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import UNFINISHED, RunStatus

if TYPE_CHECKING:
    from airflow.sdk import Context
    from requests import Response

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.hooks.verbs.extra_arguments import ObtainRun, SendStart
    from dbtcloud.client.run_search import FoundRuns
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

    @property
    def url(self) -> str | None:
        """The run's page, or None where a replaced verb has not named it."""
        with suppress(KeyError):
            url: str = self.run["href"]
            return url
        return None


class RunStarter(ABC):
    """Obtains the run that a task follows.

    Args:
        task: The operator. Its `hook`, `log`, `account_id`, `stop_if_killed` and `time_left` are used.
    """

    def __init__(self, task: Any) -> None:
        self.hook: DbtCloudHook = task.hook
        self.log, self.account_id = task.log, task.account_id
        self._stop_if_killed, self.time_left = task.stop_if_killed, task.time_left
        self._is_submitted: Callable[[Run], bool] | None = None

    @abstractmethod
    def obtain_run(self) -> Started:
        """Return a run that there is already, where the task may follow it, or else start one."""

    @abstractmethod
    def start_new(self) -> Started:
        """Start a run, whatever runs there are."""

    @abstractmethod
    def find_runs(self) -> FoundRuns:
        """Return the runs that this task may have started."""

    @property
    def has_submitted(self) -> bool:
        """Whether a run was requested whose answer may not have arrived."""
        return self._is_submitted is not None

    def require_planned_nodes(self, run_id: int) -> None:  # noqa: B027 -- not all runs have a plan
        """Raise if a successful run has left out a node of the retry plan that it executes."""

    def find_submitted(self) -> Run | None:
        """Return the run that was requested and whose answer has not arrived, or None."""
        if self._is_submitted is None:
            return None
        for delay in _KILL_SEARCH_DELAYS:  # the request may still be on its way
            time.sleep(delay)
            for run in filter(self._is_submitted, self.find_runs()):
                return run
        return None

    def _retry_run(self, run_id: int) -> Started:
        """Start a run that continues where a run failed.

        Raises:
            DbtCloudApiException: If dbt Cloud refuses; its `error` is a `NotRetryable` with the reason.
        """
        return Started(self._request_retry(run_id).json()["data"])

    def _request_retry(self, run_id: int) -> Response:
        from airflow_dbt_cloud.hooks.verbs.extra_arguments import starts_within

        self._is_submitted = lambda run: run.retried_run_id == run_id
        with starts_within(self.time_left):
            return self.hook.retry_job_run(run_id=run_id, account_id=self.account_id)

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
        # For a replaced verb: the official provider counts everything but a 1, so also a mock.
        self._is_retry = getattr(context.get("ti"), "try_number", 1) != 1
        self._followed: Started | None = None
        # As it will be sent, unless a verb changes it.
        self._sent_cause = self.marker.add_to(str(overrides.get("cause") or cause))

    def obtain_run(self) -> Started:
        """Return the run to follow: of an earlier try, one that is running already, a retry, or a new one.

        Raises:
            AirflowSkipException: If the job is running already and `if_running` is "skip".
            DbtCloudJobRunException: If the job is running already and `if_running` is "fail".
            DbtCloudApiException: If dbt Cloud refuses.
        """
        running = [] if self._policy == "queue" else self._find_unfinished_runs()
        # The task's own runs of earlier tries come before the policy.
        if running and (started := self._adopted or self._apply_policy(running)):
            return started
        return self._trigger(self._follow_or_send)

    def start_new(self) -> Started:
        """Start a run, whatever runs there are."""
        return self._trigger(self._send)

    def _trigger(self, obtain: ObtainRun) -> Started:
        """Call the hook's verb, which a user may have replaced. Our own calls `obtain` back."""
        from airflow_dbt_cloud.hooks.verbs.extra_arguments import runs_obtained_by, starts_within

        self._stop_if_killed()
        overrides = dict(self.overrides)
        with runs_obtained_by(obtain), starts_within(self.time_left):
            answer = self.hook.trigger_job_run(
                account_id=self.account_id,
                job_id=self.job_id,
                cause=self.cause,
                steps_override=overrides.pop("steps_override", None),
                schema_override=overrides.pop("schema_override", None),
                retry_from_failure=self._is_retry and bool(self._from_failure),
                additional_run_config=overrides,
            )
        started = Started(answer.json()["data"])
        followed = self._followed
        return followed if followed and followed.run["id"] == started.run["id"] else started

    def _follow_or_send(self, send: SendStart) -> Response:
        """Return the run of an earlier try or a retry of it, or else start one."""
        from airflow_dbt_cloud.hooks.verbs.extra_arguments import response_with

        if (started := self._adopted) is not None:
            self._followed = started
            return response_with(started.run)
        if self._from_failure and self._reuse and self._reuse.failed:
            return self._continue_failed(self._reuse.failed.id, send)
        return self._send(send)

    def _send(self, send: SendStart, changes: Mapping[str, Any] | None = None) -> Response:
        """Send the request that starts a run, with changed fields if there are some."""
        self._stop_if_killed()
        self._is_submitted = lambda run: Marker.find(run.cause) == self.marker
        return self._state.keep_start(self.marker, lambda: send(self.marker, changes or {}))

    @cached_property
    def _reuse(self) -> ReuseDecision | None:
        """What to do with the runs of earlier tries, or None in the first try."""
        if self.marker.attempt <= 1:
            return None
        earlier = EarlierRuns(self, self._state, self.marker, is_only_start=self._is_only_start)
        runs = earlier.find()
        decision = ReuseDecision.of_runs(
            self.marker,
            runs,
            reuse_finished=self._adopts and not self._extended,
            reuse_unfinished=self._adopts,
            is_only_start=self._is_only_start,
        )
        if decision.adopted is None:
            earlier.require_clarity(runs)
        return decision

    @cached_property
    def _adopted(self) -> Started | None:
        """The run of an earlier try if this one adopts it. Runs that nobody will follow are cancelled."""
        if (decision := self._reuse) is None:
            return None
        for run in decision.to_cancel:
            self.log.info(
                "Cancelling run %s: an earlier try started it, and this try does not follow it.", run.id
            )
            self.hook.cancel_job_run(run_id=run.id, account_id=self.account_id)
        if (adopted := decision.adopted) is not None:
            if adopted.status == RunStatus.SUCCESS and (why := self._left_out(adopted.id)):
                self.log.info("%s Starting a run of the whole job.", why)
                return None
            self.log.info("Adopting run %s: %s.", adopted.id, decision.reason)
            return Started(adopted.data, adopted=True)
        if not (self._from_failure and decision.failed):
            self.log.info(
                "Starting a new run: %s.", decision.reason if self._adopts else "on_retry is 'rerun'"
            )
        return None

    def require_planned_nodes(self, run_id: int) -> None:
        """Compare a successful run with the plan of the failed run before it, if it is a planned retry.

        Raises:
            DbtCloudJobRunException: If it has left out a node of the plan.
        """
        if why := self._left_out(run_id):
            raise DbtCloudJobRunException(why)

    def _left_out(self, run_id: int) -> str | None:
        """Return the message about what a successful run has left out of its plan, or None."""
        from airflow_dbt_cloud.operators.run.planned_retry import PlannedRetry

        if self._from_failure != "steps" or self.marker.attempt <= 1:
            return None
        try:
            failed = failed_before(run_id, self.marker, self.find_runs())
            return PlannedRetry(self.hook, run_id, self.account_id).left_out(failed)
        except Exception as error:  # noqa: BLE001 -- a success that cannot be checked is still a success
            self.log.warning("Could not compare run %s with its retry plan: %s", run_id, error)
            return None

    def find_runs(self) -> FoundRuns:
        """Return the runs that carry this task's marker, and where the task makes retries, all retries.

        A retry carries no marker. Where this task makes none, somebody else has started them.
        """

        def may_be_ours(run: Run) -> bool | None:
            marker = Marker.find(run.cause)
            if bool(self._from_failure) and run.retried_run_id is not None:
                return True
            if marker is not None and marker.task == self.marker.task:
                return True
            return None if self.marker.may_be_missing_from(run.cause, self._sent_cause) else False

        since = self._state.dag_run_start or datetime.now(UTC)
        return self.hook.find_job_runs(self.job_id, since, may_be_ours, account_id=self.account_id)

    def _apply_policy(self, unfinished: list[dict[str, Any]]) -> Started | None:
        """Apply `if_running` to the unfinished runs of the job, and return None to start a new run."""
        cancelled = {run.id for run in self._reuse.to_cancel} if self._reuse else set()
        running = [run for run in unfinished if run["id"] not in cancelled]
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
        """Return the unfinished runs of the job, newest first, whoever started them.

        The query is that of the official provider, on which users' tests rely.
        """
        query = {
            "job_definition_id": self.job_id,
            "status__in": str(sorted(map(int, UNFINISHED))),
            "order_by": "-created_at",
        }
        answer = self.hook.get_job_runs(account_id=self.account_id, payload=query)
        return list(answer.json()["data"] or ())

    def _continue_failed(self, failed: int, send: SendStart) -> Response:
        """Retry the failed run of an earlier try, or start a new run if dbt Cloud refuses."""
        plan = self._log_retry_plan(failed)
        self._stop_if_killed()
        try:
            answer = self._state.keep_start(
                self.marker, lambda: self._request_retry(failed), retried_run_id=failed
            )
        except DbtCloudApiException as error:
            if not isinstance(error.error, NotRetryable):
                raise
            return self._send(send, self._replace_retry(plan, str(error)))
        self.log.info("Retrying run %s from its failure, with the overrides of that run.", failed)
        return answer

    def _replace_retry(self, plan: RetryPlan | None, why: str) -> dict[str, Any]:
        """Log what is started in place of a retry that dbt Cloud refuses, and return its changed fields."""
        if self._from_failure == "steps" and plan is not None and plan.commands:
            self.log.info("%s Starting a new run with the commands of its retry plan.", why)
            return {"steps_override": list(plan.commands)}
        self.log.info("%s Starting a new run.", why)
        return {}

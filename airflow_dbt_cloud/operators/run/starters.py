"""Obtain the run that a task follows: start a job or retry a run, once over all tries of the task."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.run.reuse import ReuseDecision, failed_before
from airflow_dbt_cloud.operators.run.task_state import KeptStart, TaskState
from dbtcloud.client.errors import AmbiguousStart, NotFound, NotRetryable
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import UNFINISHED, Run, RunStatus
from dbtcloud.client.run_start import SEARCH_DELAYS

if TYPE_CHECKING:
    from airflow.sdk import Context
    from requests import Response

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.hooks.verbs.extra_arguments import ObtainRun, SendStart
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
        self._stop_if_killed, self._time_left = task.stop_if_killed, task.time_left
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
            for run in filter(self._is_submitted, self._find_runs()):
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
        with starts_within(self._time_left):
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
        self._doubts: list[str] = []

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
        with runs_obtained_by(obtain), starts_within(self._time_left):
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
        runs = self._find_runs_of_earlier_tries()
        decision = ReuseDecision.of_runs(
            self.marker,
            runs,
            reuse_finished=self._adopts and not self._extended,
            reuse_unfinished=self._adopts,
            is_only_start=self._is_only_start,
        )
        if decision.adopted is None:
            self._require_clarity(runs)
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

    def _find_runs_of_earlier_tries(self) -> list[Run]:
        """Return the runs of this task, after waiting for one that an earlier try requested in vain.

        Raises:
            DbtCloudApiException: If it stays unknown whether an earlier try has started a run.
        """
        starts = [start for start in self._state.starts() if self._may_belong_here(start.marker)]
        found = self._find_requested(starts)
        listed = {run.id for run in found}
        known = (self._read_run(start) for start in starts if start.run_id and start.run_id not in listed)
        return [*found, *known]

    def _find_requested(self, starts: list[KeptStart]) -> list[Run]:
        """Return the runs of this task, once those of all these starts are among them or time is up."""
        try:
            found = self._find_runs()
            for delay in SEARCH_DELAYS:
                if all(start.run_id or any(map(start.is_of, found)) for start in starts):
                    break
                self._wait_for_list(delay)
                found = self._find_runs()
        except DbtCloudApiException as error:
            if all(start.run_id for start in starts) or isinstance(error.error, AmbiguousStart):
                raise
            why = f"An earlier try requested it, and the search for it has failed: {error}"
            raise self._unclear(why) from error.error
        return found

    def _unclear(self, why: str) -> DbtCloudApiException:
        """Return the exception for tries of this task of which nobody knows what they have started."""
        return DbtCloudApiException(error=AmbiguousStart(self.marker.task, why=why))

    def _require_clarity(self, runs: list[Run]) -> None:
        """Check that no other run may be of an earlier try.

        Raises:
            DbtCloudApiException: If one may be.
        """
        if not self._doubts or self._state.knows_all_starts(runs) or self._started_by_last_try(runs):
            return
        why = "; ".join(self._doubts)
        if self._state.is_first_of_generation(self.marker):
            self.log.warning("Earlier tries may have left a run that nobody follows: %s.", why)
            return
        raise self._unclear(f"After an earlier try, {why}")

    def _started_by_last_try(self, runs: list[Run]) -> bool:
        """Return whether the last try's run is among these. That try had no doubts about those before it."""
        last = replace(self.marker, attempt=self.marker.attempt - 1)
        return any(Marker.find(run.cause) == last for run in runs)

    def _may_belong_here(self, marker: Marker) -> bool:
        """Return whether a start is of an earlier try of what this try is about to do."""
        is_earlier = marker.task == self.marker.task and marker.attempt < self.marker.attempt
        return is_earlier and (self._is_only_start or marker.payload == self.marker.payload)

    def _wait_for_list(self, delay: float) -> None:
        """Pause before the next search for the run of an earlier try.

        Raises:
            DbtCloudApiException: If no time is left.
        """
        if delay > self._time_left():
            raise self._unclear("An earlier try requested it, and the timeout ended the search for it")
        self.log.info(
            "The run that an earlier try requested is not listed yet; searching again in %g s.", delay
        )
        time.sleep(delay)

    def _read_run(self, start: KeptStart) -> Run:
        """Return a run that the list does not show yet, as it is or, where it cannot be read, as running."""
        try:
            answer = self.hook.get_job_run(run_id=start.run_id or 0, account_id=self.account_id)
            data = answer.json()["data"]
        except DbtCloudApiException as error:
            if not isinstance(error.error, NotFound):
                raise
            data = {"id": start.run_id, "status": RunStatus.QUEUED, "job_definition_id": self.job_id}
        retried = {"retrying_run_id": start.retried_run_id} if start.retried_run_id else {}
        return replace(Run.parse({**data, **retried}), cause=str(start.marker))

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
            failed = failed_before(run_id, self.marker, self._find_runs())
            return PlannedRetry(self.hook, run_id, self.account_id).left_out(failed)
        except Exception as error:  # noqa: BLE001 -- a success that cannot be checked is still a success
            self.log.warning("Could not compare run %s with its retry plan: %s", run_id, error)
            return None

    def _find_runs(self) -> list[Run]:
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
        found = self.hook.find_job_runs(self.job_id, since, may_be_ours, account_id=self.account_id)
        self._doubts = getattr(found, "doubts", [])
        return found

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
        """Return the runs of the job since the failed one that retry another.

        Raises:
            DbtCloudApiException: If it is not clear which runs do.
        """
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions

        with as_airflow_exceptions():
            job_id = self.failed.known_job_id

        def is_retry(run: Run) -> bool | None:
            return run.retried_run_id is not None if "retrying_run_id" in run.data else None

        found = self.hook.find_job_runs(
            job_id, None, is_retry, account_id=self.account_id, after_run=self.failed.id
        )
        if doubts := getattr(found, "doubts", None):
            raise DbtCloudApiException(
                error=AmbiguousStart("", retried_run_id=self.failed.id, why="; ".join(doubts))
            )
        return found

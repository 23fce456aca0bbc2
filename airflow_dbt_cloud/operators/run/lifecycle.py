"""The life of a task's run: obtain it, wait for it here or in the triggerer, report it, cancel it."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus, validate_execute_complete_event
from airflow_dbt_cloud.links import DbtCloudRunJobOperatorLink, push_run_url
from airflow_dbt_cloud.tasks.openlineage_mixin import OpenLineageMixin
from airflow_dbt_cloud.tasks.template_values import TemplateValue, or_none
from dbtcloud.client.errors import DbtCloudError, RunCancelled, RunFailed, RunTimedOut

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as Operator
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.operators.run.starters import RunStarter, Started
    from airflow_dbt_cloud.tasks.deferral import Deadlines
    from airflow_dbt_cloud.tasks.run_outcome import RunOutcome
    from dbtcloud.report.success_criteria import SuccessCriteria
else:
    Operator = object  # Airflow wraps the __init__ of each operator class, and would pass over a sibling's

_KILL_SECONDS = 4.0
"""Seconds that cancelling may take: Airflow kills a task's process about five after it signals the end."""


class JobRunLifecycle(OpenLineageMixin, Operator):
    """Base of the operators that follow a run from its start to its end.

    A subclass has the arguments declared here, and makes its starter in `_make_starter`.

    Attributes:
        job_run_id: The run, once there is one.
        job_id: Its job.
    """

    operator_extra_links = (DbtCloudRunJobOperatorLink(),)
    lineage_run_attribute = "job_run_id"
    patched_module = "airflow_dbt_cloud.operators.dbt"

    dbt_cloud_conn_id: str
    account_id: int | str | None
    hook_params: dict[str, Any]
    timeout: float
    check_interval: float
    wait_for_termination: bool
    deferrable: bool
    cancel_on_timeout: bool

    job_id: int | str | None
    job_run_id: int | None = None
    _starter: RunStarter | None = None
    _started: Started | None = None
    _deadlines: Deadlines | None = None
    _killed = False
    _trigger_saw_end = False

    @cached_property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""
        hook: DbtCloudHook = lazy.resolve_patched(self.patched_module, "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def _begin(self) -> Deadlines:
        """Check the arguments that this class uses, and return until when a run may take."""
        from airflow_dbt_cloud.tasks.deferral import Deadlines, require_storable

        began = time.time()
        self._read_arguments()
        if self.deferrable and not self.wait_for_termination:
            warnings.warn(
                "wait_for_termination is False, so deferrable has no effect: there is nothing to wait for.",
                UserWarning,
                stacklevel=3,
            )
        # `dag.test()` uses the same object for the next try.
        self.job_run_id, self._starter, self._started, self._killed = None, None, None, False
        limit = self.execution_timeout
        deadlines = Deadlines(began + self.timeout, began + limit.total_seconds() if limit else None)
        self._deadlines = deadlines
        if self.wait_for_termination and self.deferrable:
            # What cannot be sent to the triggerer shows before a run is started.
            require_storable(conn_id=self.dbt_cloud_conn_id, account_id=self.account_id)
        return deadlines

    def _read_arguments(self) -> None:
        """Parse the arguments that this class uses."""
        # After a deferral they are again as they were written.
        self.account_id = or_none(self.account_id)
        self.timeout = TemplateValue("timeout", self.timeout).seconds()
        self.check_interval = TemplateValue("check_interval", self.check_interval).seconds()

    def _make_starter(self, context: Context) -> RunStarter:
        """Return what finds or starts the run, and raise for an argument that cannot be used."""
        raise NotImplementedError

    def time_left(self) -> float:
        """Return the seconds that the start of a run may still take."""
        return self._deadlines.seconds_left() if self.wait_for_termination and self._deadlines else math.inf

    def _follow(self, context: Context, started: Started) -> None:
        """Name the run in the log, the link and the XComs, before anything can interrupt."""
        self._started = started
        self.stop_if_killed()
        self.job_run_id = started.run["id"]
        self.log.info("dbt Cloud run %s of job %s: %s", self.job_run_id, self.job_id, started.url)
        push_run_url(context["ti"], started.url)
        context["ti"].xcom_push(key="job_run_id", value=self.job_run_id)
        if self.emits_start_event:
            self._emit_start_event(context["ti"], self.job_run_id)

    @property
    def emits_start_event(self) -> bool:
        """Whether this very try started the run, and emitted its start to OpenLineage."""
        return self._started is not None and self._started.owned and not self._started.adopted

    @property
    def _run(self) -> int:
        """The id of the run, once there is one."""
        assert self.job_run_id is not None
        return self.job_run_id

    def _wait(self, context: Context, deadlines: Deadlines) -> None:
        """Wait for the run's end and report it, or replace an earlier try's run that ends cancelled."""
        assert self._started is not None
        if not isinstance(self.job_run_id, int):
            return  # a replaced verb has returned a run without an id, for which nobody can wait
        try:
            if self.deferrable:
                self._finish_or_defer(deadlines)
            else:
                self._wait_here(deadlines)
        except DbtCloudJobRunException as error:
            cancelled = isinstance(error.error, RunCancelled)
            if self._killed or not (cancelled and self._started.adopted):
                self._fail_unless_ignored(context, error)
                return
            self._replace(context, deadlines)
        else:
            self._report(context)

    def _replace(self, context: Context, deadlines: Deadlines) -> None:
        """Start a new run in place of an earlier try's, whose cancelling was meant for that try."""
        assert self._starter is not None
        self._deadlines = deadlines
        if deadlines.execution_timeout_passed:
            raise DbtCloudJobRunException(
                f"Job run {self.job_run_id} of an earlier try was cancelled, and the task's execution "
                "timeout leaves no time for a new one."
            )
        self.log.info("Run %s of an earlier try was cancelled; starting a new one.", self.job_run_id)
        self._follow(context, self._starter.start_new())
        self._wait(context, deadlines)

    def _wait_here(self, deadlines: Deadlines) -> None:
        try:
            succeeded = self.hook.wait_for_job_run_status(
                run_id=self._run,
                account_id=self.account_id,
                expected_statuses=DbtCloudJobRunStatus.SUCCESS.value,
                check_interval=self.check_interval,
                timeout=self.timeout,
            )
        except DbtCloudJobRunException as error:
            if isinstance(error.error, RunTimedOut):
                cancel = self.cancel_on_timeout or deadlines.execution_timeout_passed
                raise self._timed_out(str(error), error.error, cancel=cancel) from error.error
            raise
        if not succeeded:  # our own verb raises; one that replaces it may return False
            raise DbtCloudJobRunException(f"Job run {self.job_run_id} has failed or has been cancelled.")
        self.log.info("Job run %s has completed successfully.", self.job_run_id)

    def _finish_or_defer(self, deadlines: Deadlines) -> None:
        """Poll once: a run that has ended needs no trigger."""
        from dbtcloud.client.run_wait import LAST_POLL_SECONDS
        from dbtcloud.client.transport.time_limit import time_limit

        with time_limit(max(LAST_POLL_SECONDS, deadlines.seconds_left())):
            status = self._poll()
        if status is None or not DbtCloudJobRunStatus.is_terminal(status):
            # Airflow's own timeout of a deferral would end the task without a chance to cancel the run.
            trigger = self._trigger(self._run, deadlines)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=None)
        elif status != DbtCloudJobRunStatus.SUCCESS.value:
            raise self._failure(None, cancelled=status == DbtCloudJobRunStatus.CANCELLED.value)
        self.log.info("Job run %s has completed successfully.", self.job_run_id)

    def _poll(self) -> int | None:
        """Return the run's status, or None for a fault that the trigger tolerates."""
        from dbtcloud.client.failure_tolerance import FailureTolerance

        try:
            return self.hook.get_job_run_status(run_id=self._run, account_id=self.account_id)
        except DbtCloudApiException as error:
            tolerance = FailureTolerance(time.monotonic, self.log.warning)
            if not tolerance.tolerates(error.error or DbtCloudError(str(error))):
                raise
            return None

    def _trigger(self, run_id: int, deadlines: Deadlines) -> Any:
        """Return the trigger for a run, made with the official arguments, for its class may be replaced."""
        from airflow_dbt_cloud.tasks import deferral

        assert self._started is not None
        trigger = lazy.resolve_patched(self.patched_module, "DbtCloudRunJobTrigger")(
            conn_id=self.dbt_cloud_conn_id,
            run_id=run_id,
            end_time=deadlines.end_time,
            execution_deadline=deadlines.execution_deadline,
            account_id=self.account_id,
            poll_interval=self.check_interval,
            hook_params=deferral.storable_hook_params(self.hook_params, self.log),
        )
        trigger.not_before = time.time() + deferral.FIRST_POLL_DELAY
        trigger.start_time = deadlines.end_time - self.timeout
        trigger.owned, trigger.adopted = self._started.owned, self._started.adopted
        trigger.cancel_on_timeout = self.cancel_on_timeout
        return trigger

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> int:
        """Continue with the event that the trigger has sent.

        Raises:
            DbtCloudJobRunException: If the run failed, was cancelled, or did not end in time.
            DbtCloudApiException: If the trigger lost contact with the run, which may still be running.
            DbtCloudTriggerEventException: If the event is not one of the trigger's.
        """
        from airflow_dbt_cloud.operators.run.starters import Started
        from airflow_dbt_cloud.tasks.deferral import Deadlines, is_of_our_trigger, poll_after_timeout

        event = validate_execute_complete_event(event)
        self._trigger_saw_end = is_of_our_trigger(event)
        self._read_arguments()
        if event.get("run_id") is None:
            raise _without_run(event)
        self.job_run_id = int(event["run_id"])
        owned, adopted = event.get("owned") is not False, bool(event.get("adopted"))
        self._started = Started({"id": self.job_run_id}, owned, adopted)
        event = poll_after_timeout(self.hook, self.account_id, event, self.log)
        message = event.get("message")
        if event["status"] == "timeout":
            cancel = event.get("cancel", True)
            if cancel and "has timed out" not in (message or ""):  # words that people match
                message = f"Job run {self.job_run_id} has timed out. {message or ''}".rstrip()
            error = RunTimedOut(self._run, 0, self.timeout)
            raise self._timed_out(message or str(error), error, cancel=cancel)
        if event.get("reachable") is False:
            lost = f"Lost contact with job run {self.job_run_id}; it may still be running."
            raise DbtCloudApiException(message or lost)
        if event["status"] == "cancelled" and adopted:
            self._starter = self._make_starter(context)
            self._replace(context, Deadlines.from_event(event, self.timeout))
            return self._run
        message = message or f"Job run {self.job_run_id} ended with {event['status']}."
        if event["status"] != "success":
            failure = self._failure(message, cancelled=event["status"] == "cancelled")
            self._fail_unless_ignored(context, failure)
            return self._run
        self.log.info(message)
        self._report(context)
        return self._run

    def _failure(self, message: str | None, *, cancelled: bool) -> DbtCloudJobRunException:
        """Log why the run failed, and return the exception for it."""
        self.hook.log_job_run_failure_details(run_id=self._run, account_id=self.account_id)
        error = RunCancelled(self._run, 30) if cancelled else RunFailed(self._run, 20)
        return DbtCloudJobRunException(message or str(error), error=error)

    def _fail_unless_ignored(self, context: Context, error: DbtCloudJobRunException) -> None:
        """Raise the exception with what failed in the run, unless the task's criteria call it a success.

        It is raised as it is while the run is still running.
        """
        if isinstance(error.error, RunTimedOut):
            raise error from error.error
        message = self._outcome(context).explain(str(error), self._success_criteria())
        if message is not None:
            raise DbtCloudJobRunException(message, error=error.error) from error.error
        self._check_success(context)

    def _success_criteria(self) -> SuccessCriteria | None:
        """Return what decides whether a run that failed counts as a success, or None if nothing does."""
        return None

    def _report(self, context: Context) -> None:
        self._outcome(context).push_report()
        self._check_success(context)

    def _check_success(self, context: Context) -> None:
        """Raise if a run that succeeded has not done what this task started it for."""

    def _outcome(self, context: Context) -> RunOutcome:
        from airflow_dbt_cloud.tasks.run_outcome import RunOutcome

        return RunOutcome(
            self.hook,
            self._run,
            self.account_id,
            context=context,
            log=self.log,
            ended=self._trigger_saw_end,
        )

    def _timed_out(self, message: str, error: RunTimedOut, *, cancel: bool) -> DbtCloudJobRunException:
        """Cancel the run if asked, as a timeout would stop a process, and return the exception."""
        if cancel and not self._cancel("of a timeout"):
            message += " It could not be cancelled; it may still be running."
        return DbtCloudJobRunException(message, error=error)

    def on_kill(self) -> None:
        """Cancel the run that this task started, or is starting just now."""
        self._killed = True
        _cancel_within_seconds(self._cancel_own_run, self.log)

    def stop_if_killed(self) -> None:
        """End a task that was killed: Airflow lets it run for the seconds that are left to it.

        Raises:
            DbtCloudJobRunException: If it was killed.
        """
        if self._killed:
            self._cancel_own_run()
            raise DbtCloudJobRunException("The task was killed while it was starting a run.")

    def _cancel_own_run(self) -> None:
        if self._started is not None:
            self.job_run_id = self._started.run["id"]
        elif self._starter is not None and self._starter.has_submitted:
            submitted = self._starter.find_submitted()
            if submitted is None:
                self.log.warning("No run of the killed task is listed yet. If one starts, it will run on.")
            self.job_run_id = submitted.id if submitted else None
        if self.job_run_id is not None:
            self._cancel("its task was killed")

    def _cancel(self, reason: str) -> bool:
        """Cancel the run if it is ours, and return False if that failed."""
        if self._started is not None and not self._started.owned:
            return True
        from airflow_dbt_cloud.hooks.verbs.extra_arguments import brief_cancels

        try:
            # A killed task has seconds; after a timeout there is time to wait out dbt Cloud's cool-down.
            with brief_cancels() if self._killed else nullcontext():
                self.hook.cancel_job_run(run_id=self._run, account_id=self.account_id)
            self.log.info("dbt Cloud is cancelling job run %s because %s.", self.job_run_id, reason)
        except Exception:
            self.log.exception("Could not cancel job run %s; it may still be running.", self.job_run_id)
            return False
        return True


def _without_run(event: Mapping[str, Any]) -> DbtCloudJobRunException:
    """Return the exception for an event that names no run: one of a test, or of a trigger of a user's own."""
    outcome = "has timed out" if event["status"] == "timeout" else f"ended with {event['status']}"
    message = f"The wait for a job run {outcome}, and the event does not name the run."
    return DbtCloudJobRunException(f"{message} {event.get('message') or ''}".rstrip())


def _cancel_within_seconds(cancel: Callable[[], object], log: Logger) -> None:
    """Call `cancel`, wait at most `_KILL_SECONDS` for it, and log whatever goes wrong.

    It runs in a thread, since the request that the kill has interrupted may hold the hook's session, and each
    thread has a session of its own.
    """

    def log_failure() -> None:
        try:
            cancel()
        except Exception:
            log.exception("Could not cancel the run; it may still be running.")

    thread = threading.Thread(target=log_failure, name="cancel dbt Cloud run", daemon=True)
    thread.start()
    thread.join(_KILL_SECONDS)
    if thread.is_alive():
        log.warning("dbt Cloud has not confirmed within %g s that it is cancelling the run.", _KILL_SECONDS)

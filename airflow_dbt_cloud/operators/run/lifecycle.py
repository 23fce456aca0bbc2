"""An operator that gets itself a run of dbt Cloud and stays with it to its end, here or in the triggerer."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus, validate_execute_complete_event
from airflow_dbt_cloud.lineage.emit import OpenLineageMixin
from airflow_dbt_cloud.lineage.start_event import emit_start_event
from airflow_dbt_cloud.links import JOB_RUN_URL, DbtCloudRunJobOperatorLink
from airflow_dbt_cloud.operators.run.cancel_on_kill import within_seconds
from airflow_dbt_cloud.operators.run.start import Started
from airflow_dbt_cloud.tasks import template_values
from airflow_dbt_cloud.tasks.deferral import (
    FIRST_LOOK,
    Deadlines,
    ended_since,
    passable_hook_params,
    require_json,
)
from airflow_dbt_cloud.tasks.run_outcome import explained, report_run
from dbtcloud.client.errors import DbtCloudError, RunCancelled, RunTimedOut
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import Run

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as Operator
    from airflow.sdk import Context

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
else:
    Operator = object  # Airflow wraps the __init__ of each operator class, and would pass over a sibling's

PATCHED = "airflow_dbt_cloud.operators.dbt"
"""In which module users' tests replace the hook and the trigger."""


class Beginning(Protocol):
    """How a task comes to its run."""

    def settle(self) -> Started:
        """The run to go on with."""

    def anew(self) -> Started:
        """A new run, whatever there is."""

    def begun(self) -> Run | None:
        """The run that was asked for and whose answer has not come."""


class JobRunLifecycle(OpenLineageMixin, Operator):
    """Gets a run, says where it is, waits for it, and tells what became of it.

    A subclass has the arguments declared here, and says in `_prepare` how it comes to its run.

    Attributes:
        job_run_id: The run, once there is one.
        job_id: Its job.
    """

    operator_extra_links = (DbtCloudRunJobOperatorLink(),)
    lineage_run_attribute = "job_run_id"

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
    _start: Beginning | None = None
    _started: Started | None = None
    _killed = False

    @cached_property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""
        hook: DbtCloudHook = lazy.resolve_patched(PATCHED, "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def execute(self, context: Context) -> int:
        """Get a run, say where it is, and wait for it."""
        began = time.time()
        self._read_arguments()
        limit = self.execution_timeout
        deadlines = Deadlines(began + self.timeout, began + limit.total_seconds() if limit else None)
        self.job_run_id, self._start, self._started, self._killed = None, None, None, False
        self._prepare(context)
        if self.wait_for_termination and self.deferrable:
            self._trigger(0, deadlines)  # what cannot be sent to the triggerer shows before a run is started
        self._announce(context, self._started_by(lambda start: start.settle()))
        if self.wait_for_termination:
            self._wait(context, deadlines)
        else:
            self._warn_of_useless_deferral()
        return self._run

    def _read_arguments(self) -> None:
        """Read what this class uses; after a deferral, arguments are again as they were written."""
        self.account_id = template_values.given(self.account_id)
        self.timeout = template_values.seconds("timeout", self.timeout)
        self.check_interval = template_values.seconds("check_interval", self.check_interval)

    def _prepare(self, context: Context) -> None:
        """Make `_start`; whatever is wrong with an argument shows here, before anything is started."""
        raise NotImplementedError

    def _started_by(self, way: Callable[[Beginning], Started]) -> Started:
        assert self._start is not None
        self._started = way(self._start)
        self.stop_if_killed()
        return self._started

    def _wait(self, context: Context, deadlines: Deadlines) -> None:
        """Wait for the run; one of an earlier try that ends cancelled is replaced."""
        assert self._started is not None
        try:
            if self.deferrable and deadlines.leave(FIRST_LOOK):
                self._finish_or_defer(deadlines)
            else:
                self._wait_here(deadlines)
        except DbtCloudJobRunException as error:
            cancelled = isinstance(error.error, RunCancelled)
            if self._killed or not (cancelled and self._started.adopted):
                raise self._explained(context, error) from error.error
            self._replace(context, deadlines)
        else:
            self._report(context)

    def _replace(self, context: Context, deadlines: Deadlines) -> None:
        """Start a new run in place of an earlier try's, whose cancelling was meant for that try."""
        if deadlines.forbid_execution:
            raise DbtCloudJobRunException(
                f"Job run {self.job_run_id} of an earlier try was cancelled, and the task's execution "
                "timeout leaves no time for a new one."
            )
        self.log.info("Run %s of an earlier try was cancelled; a new one is started.", self.job_run_id)
        self._announce(context, self._started_by(lambda start: start.anew()))
        self._wait(context, deadlines)

    def _wait_here(self, deadlines: Deadlines) -> None:
        try:
            self.hook.wait_for_job_run_status(
                run_id=self._run,
                account_id=self.account_id,
                expected_statuses=DbtCloudJobRunStatus.SUCCESS.value,
                check_interval=self.check_interval,
                timeout=self.timeout if not self.deferrable else deadlines.left(),
            )
        except DbtCloudJobRunException as error:
            if isinstance(error.error, RunTimedOut):
                cancel = self.cancel_on_timeout or deadlines.forbid_execution
                raise self._out_of_time(str(error), cancel=cancel, error=error.error) from error.error
            raise
        self.log.info("Job run %s has completed successfully.", self.job_run_id)

    @property
    def _run(self) -> int:
        """The id of the run, once there is one."""
        assert self.job_run_id is not None
        return self.job_run_id

    def _announce(self, context: Context, started: Started) -> None:
        """Say which run it is before anything can interrupt: in the log, the link and the XComs."""
        self.job_run_id = int(started.run["id"])
        url = started.run.get("href")
        self.log.info("dbt Cloud run %s of job %s: %s", self.job_run_id, self.job_id, url)
        context["ti"].xcom_push(key=JOB_RUN_URL, value=url)
        context["ti"].xcom_push(key="job_run_id", value=self.job_run_id)
        if self.emits_start_event:
            emit_start_event(self, context["ti"], self.job_run_id)

    @property
    def emits_start_event(self) -> bool:
        """Whether it was this try that started the run, and told OpenLineage so."""
        return self._started is not None and self._started.owned and not self._started.adopted

    def _finish_or_defer(self, deadlines: Deadlines) -> None:
        """Look once: a run that has ended needs no trigger."""
        status = self._first_look()
        if status is None or not DbtCloudJobRunStatus.is_terminal(status):
            self.defer(trigger=self._trigger(self._run, deadlines), method_name="execute_complete")
        elif status != DbtCloudJobRunStatus.SUCCESS.value:
            from dbtcloud.client.run_wait import error_from_run

            ending = error_from_run(Run(id=self._run, status=status))
            raise self._failure(str(ending), ending) from ending
        self.log.info("Job run %s has completed successfully.", self.job_run_id)

    def _first_look(self) -> int | None:
        """The run's status, or None where it cannot be read just now, which the trigger lives through."""
        try:
            return self.hook.get_job_run_status(run_id=self._run, account_id=self.account_id)
        except DbtCloudApiException as error:
            tolerance = FailureTolerance(time.monotonic, self.log.warning)
            if not tolerance.tolerates(error.error or DbtCloudError(str(error))):
                raise
            return None

    def _trigger(self, run_id: int, deadlines: Deadlines) -> Any:
        """The trigger for a run; made once before the run, so that nothing goes wrong with it afterwards."""
        started = self._started
        trigger = lazy.resolve_patched(PATCHED, "DbtCloudRunJobTrigger")(
            conn_id=self.dbt_cloud_conn_id,
            run_id=run_id,
            end_time=deadlines.end_time,
            execution_deadline=deadlines.execution_deadline,
            account_id=self.account_id,
            poll_interval=self.check_interval,
            hook_params=passable_hook_params(self.hook_params, self.log),
            not_before=time.time() + FIRST_LOOK,
            owned=started is not None and started.owned,
            adopted=started is not None and started.adopted,
            cancel_on_timeout=self.cancel_on_timeout,
        )
        require_json(trigger)
        return trigger

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> int:
        """Go on with what the trigger saw.

        Raises:
            DbtCloudJobRunException: If the run failed, was cancelled, or did not end in time.
            DbtCloudApiException: If the run could no longer be looked at, and may go on.
            DbtCloudTriggerEventException: If the event is none of the trigger's.
        """
        seen = validate_execute_complete_event(event)
        self._read_arguments()
        self.job_run_id = int(seen["run_id"])
        self._started = Started(
            {"id": self.job_run_id}, seen.get("owned") is not False, bool(seen.get("adopted"))
        )
        if seen["status"] == "timeout":
            seen = ended_since(self.hook, self.account_id, seen, self.log)
        if seen["status"] == "timeout":
            message = seen.get("message") or f"Job run {self.job_run_id} has timed out."
            raise self._out_of_time(message, cancel=seen.get("cancel", True))
        if seen.get("looked") is False:
            unseen = f"Job run {self.job_run_id} cannot be looked at."
            raise DbtCloudApiException(seen.get("message") or unseen)
        if seen["status"] == "cancelled" and self._started.adopted:
            self._prepare(context)
            self._replace(context, Deadlines.of_event(seen, self.timeout))
            return self._run
        message = seen.get("message") or f"Job run {self.job_run_id} ended with {seen['status']}."
        if seen["status"] != "success":
            raise self._explained(context, self._failure(message))
        self.log.info(message)
        self._report(context)
        return self._run

    def _failure(self, message: str, error: DbtCloudError | None = None) -> DbtCloudJobRunException:
        self.hook.log_job_run_failure_details(run_id=self._run, account_id=self.account_id)
        return DbtCloudJobRunException(message, error=error)

    def _explained(self, context: Context, error: DbtCloudJobRunException) -> DbtCloudJobRunException:
        """The exception with what failed in the run; as it is while the run goes on."""
        if isinstance(error.error, RunTimedOut):
            return error
        run = (self.hook, self._run, self.account_id)
        message = explained(str(error), *run, context=context, log=self.log)
        return DbtCloudJobRunException(message, error=error.error)

    def _report(self, context: Context) -> None:
        report_run(self.hook, self._run, self.account_id, context, self.log)

    def _out_of_time(
        self, message: str, *, cancel: bool, error: DbtCloudError | None = None
    ) -> DbtCloudJobRunException:
        """The error for a deadline that has passed, which may cancel the run as it would stop a process."""
        if cancel and not self._cancel("a timeout"):
            message += " It could not be cancelled, and may go on."
        return DbtCloudJobRunException(message, error=error)

    def on_kill(self) -> None:
        """Cancel the run that this task started; where its start is in the air, look for it first."""
        self._killed = True
        within_seconds(self._cancel_ours, self.log)

    def stop_if_killed(self) -> None:
        """End a task that was told to: Airflow lets it go on for the seconds that are left to it.

        Raises:
            DbtCloudJobRunException: If it was.
        """
        if self._killed:
            self._cancel_ours()
            raise DbtCloudJobRunException("The task was told to end while it was starting a run.")

    def _cancel_ours(self) -> None:
        self.hook.has_time = False
        if self._started is not None:
            self.job_run_id = int(self._started.run["id"])
        elif self._start is not None and (begun := self._start.begun()):
            self.job_run_id = begun.id
        if self.job_run_id is not None:
            self._cancel("the end of its task")

    def _cancel(self, reason: str) -> bool:
        """Cancel the run if it is ours, and say whether what was to be done could be done."""
        if self._started is not None and not self._started.owned:
            return True
        try:
            self.hook.cancel_job_run(run_id=self._run, account_id=self.account_id)
            self.log.info("Job run %s is being cancelled because of %s.", self.job_run_id, reason)
        except Exception:
            self.log.exception("Job run %s could not be cancelled; it may go on.", self.job_run_id)
            return False
        return True

    def _warn_of_useless_deferral(self) -> None:
        if self.deferrable:
            warnings.warn(
                "wait_for_termination is False, so deferrable has no effect: there is nothing to wait for.",
                UserWarning,
                stacklevel=3,
            )

"""The sensor that waits for a dbt Cloud run."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    conf,
)

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import (
    DbtCloudApiException,
    DbtCloudJobRunException,
    DbtCloudSensorTimeout,
)
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus, validate_execute_complete_event
from airflow_dbt_cloud.tasks.openlineage_mixin import OpenLineageMixin
from airflow_dbt_cloud.tasks.template_values import or_none
from dbtcloud.client.errors import DbtCloudError, RunCancelled, RunFailed
from dbtcloud.client.run_status import RunStatus

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.tasks.run_outcome import RunOutcome
    from dbtcloud.client.failure_tolerance import FailureTolerance
    from dbtcloud.report.success_criteria import SuccessCriteria

__all__ = [
    "DbtCloudJobRunException",
    "DbtCloudJobRunSensor",
    "DbtCloudJobRunStatus",
    "validate_execute_complete_event",
]

_WEEK = 60 * 60 * 24 * 7

_REPEAT_DELAY = 5.0
"""Seconds between two polls of one poke in mode "reschedule" while an error may still pass."""


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudJobRunSensor(OpenLineageMixin, BaseSensorOperator):
    """Wait until a run has succeeded, and return its id.

    Args:
        dbt_cloud_conn_id: The connection.
        run_id: The run.
        account_id: The account; the connection's if None.
        deferrable: Wait in the triggerer rather than on the worker.
        hook_params: Further arguments of `DbtCloudHook`.
        fail_on: Nodes that the run may not fail on, as names ("orders"), unique ids ("model.shop.orders") and
            tags ("tag:nightly"). If only other nodes fail, the task succeeds. It fails if one of these is
            skipped or has no result, or a step fails for another reason than its nodes.
        ignore: Nodes that the run may fail on, in the same way. If only these fail, the task succeeds.
        kwargs: Arguments of Airflow's BaseSensorOperator. `timeout` is 7 days, `poke_interval` 60 seconds, or
            5 where it is deferrable, unless given.

    Raises:
        DbtCloudJobRunException: If the run failed or was cancelled.
        DbtCloudApiException: If polling the run keeps failing for longer than passing faults last.
        DbtCloudSensorTimeout: If it has not ended in time; an AirflowSensorTimeout.
        AirflowSkipException: In place of each of these where `soft_fail` is set.
    """

    template_fields = ("dbt_cloud_conn_id", "run_id", "account_id", "fail_on", "ignore")
    _last_status: int | None = None
    _end_time: float | None = None
    patched_module = __name__
    _trigger_saw_end = False

    def __init__(
        self,
        *,
        dbt_cloud_conn_id: str = "dbt_cloud_default",
        run_id: int | str,
        account_id: int | str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        hook_params: dict[str, Any] | None = None,
        fail_on: str | list[str] | None = None,
        ignore: str | list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        defaults = {"poke_interval": 5 if deferrable else 60, "timeout": _WEEK}
        given = {**(kwargs.get("default_args") or {}), **kwargs}
        kwargs.update({name: value for name, value in defaults.items() if name not in given})
        super().__init__(**kwargs)
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.run_id = run_id
        self.account_id = account_id
        self.deferrable = deferrable
        self.hook_params = hook_params or {}
        self.fail_on = fail_on
        self.ignore = ignore

    @cached_property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""
        hook: DbtCloudHook = lazy.resolve_patched(__name__, "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def _account(self) -> int | str | None:
        return or_none(self.account_id)

    @cached_property
    def _tolerance(self) -> FailureTolerance:
        from dbtcloud.client.failure_tolerance import FailureTolerance

        return FailureTolerance(time.monotonic, self.log.warning)

    def poke(self, context: Context) -> bool:
        """Poll once, and return whether the run succeeded, or failed on nothing that counts.

        A fault that is likely to pass counts as not ended.

        Raises:
            DbtCloudJobRunException: If the run failed or was cancelled.
            DbtCloudApiException: If the run cannot be polled.
        """
        from dbtcloud.client.run_wait import LAST_POLL_SECONDS
        from dbtcloud.client.transport.time_limit import time_limit

        left = self.timeout if self._end_time is None else self._end_time - time.time()
        with time_limit(max(LAST_POLL_SECONDS, left)):
            status = self._status()
        if status is None or not DbtCloudJobRunStatus.is_terminal(status):
            return False
        if status != DbtCloudJobRunStatus.SUCCESS.value:
            cancelled = status == DbtCloudJobRunStatus.CANCELLED.value
            self._fail_unless_ignored(context, None, cancelled=cancelled)
        else:
            self._report(context)
        return True

    def _report(self, context: Context) -> None:
        self._outcome(context).push_report()

    def _fail_unless_ignored(self, context: Context, message: str | None, *, cancelled: bool) -> None:
        """Report the run to the log and an XCom, and fail with what failed in it, unless that is ignored."""
        self.hook.log_job_run_failure_details(run_id=self.run_id, account_id=self._account())
        error = RunCancelled(int(self.run_id), 30) if cancelled else RunFailed(int(self.run_id), 20)
        explained = self._outcome(context).explain(message or str(error), self._success_criteria())
        if explained is not None:
            self._fail(DbtCloudJobRunException(explained, error=error))

    def _success_criteria(self) -> SuccessCriteria | None:
        from airflow_dbt_cloud.tasks.run_outcome import parse_success_criteria

        return parse_success_criteria(self.fail_on, self.ignore)

    def _outcome(self, context: Context) -> RunOutcome:
        from airflow_dbt_cloud.tasks.run_outcome import RunOutcome

        return RunOutcome(
            self.hook,
            self.run_id,
            self._account(),
            context=context,
            log=self.log,
            ended=self._trigger_saw_end,
        )

    def _status(self) -> int | None:
        """Return the run's status, or None for a fault that is likely to pass."""
        from dbtcloud.client.transport.time_limit import seconds_left

        while True:
            try:
                status = self.hook.get_job_run_status(run_id=self.run_id, account_id=self._account())
            except DbtCloudApiException as error:
                cause = error.error or DbtCloudError(str(error))
                if not self._tolerance.tolerates(cause):
                    self._fail(error)
                if not self.reschedule or cause.retryable or seconds_left() <= _REPEAT_DELAY:
                    return None
                # The next poke is a process of its own, which does not know how long this has lasted.
                time.sleep(_REPEAT_DELAY)
            else:
                self._tolerance.succeeded()
                self._last_status = status
                return status

    def _fail(self, error: AirflowException) -> NoReturn:
        """Raise an error, or skip the task with `soft_fail`: alike on the worker and after a deferral."""
        if self.soft_fail:
            self.log.warning("Skipped because of soft_fail: %s", error)
            raise AirflowSkipException(str(error)) from error
        raise error

    def execute(self, context: Context) -> int:
        """Wait on the worker, or poll once and let the triggerer wait."""
        self._success_criteria()  # what is wrong with an argument shows before the wait
        self._end_time = self._began(context) + self.timeout
        if not self.deferrable:
            self._wait_here(context)
        elif not self.poke(context):
            self._defer()
        return int(self.run_id)

    def _began(self, context: Context) -> float:
        """Return when the wait began, which in mode "reschedule" was in another process."""
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first is not None else time.time()

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Return the seconds to the next poke, which is due at the timeout at the latest."""
        interval = super()._get_next_poke_interval(*args, **kwargs)
        return interval if self._end_time is None else max(0.0, min(interval, self._end_time - time.time()))

    def _wait_here(self, context: Context) -> None:
        try:
            super().execute(context)
        except AirflowSensorTimeout as timeout:
            raise DbtCloudSensorTimeout(f"{timeout} {self._last_state()}") from timeout

    def _last_state(self) -> str:
        """Return what is known of a run that did not end in time, and where to see it."""
        from airflow_dbt_cloud.hooks.verbs.own_verb import url_of_run

        if self._last_status is None:
            return f"Could not poll job run {self.run_id}; it may still be running."
        url = url_of_run(self.hook, self.run_id)
        page = f" See {url}." if url else ""
        return f"Job run {self.run_id} is still {RunStatus.name_of(self._last_status).lower()}.{page}"

    def _defer(self) -> None:
        from airflow_dbt_cloud.tasks import deferral

        now = time.time()
        assert self._end_time is not None
        # Made with the official arguments: a user may have replaced its class.
        trigger = lazy.resolve_patched(__name__, "DbtCloudRunJobTrigger")(
            conn_id=self.dbt_cloud_conn_id,
            run_id=int(self.run_id),
            end_time=self._end_time,
            account_id=self._account(),
            poll_interval=self.poke_interval,
            hook_params=deferral.storable_hook_params(self.hook_params, self.log),
        )
        trigger.not_before, trigger.owned = now + deferral.FIRST_POLL_DELAY, False
        trigger.start_time = now
        self.defer(trigger=trigger, timeout=self.execution_timeout, method_name="execute_complete")

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> int:
        """Continue with the event that the trigger has sent.

        Raises:
            DbtCloudJobRunException: If the run did not succeed.
            DbtCloudApiException: If the trigger lost contact with the run, which may still be running.
            DbtCloudSensorTimeout: If the run did not end in time.
            DbtCloudTriggerEventException: If the event is not one of the trigger's.
        """
        from airflow_dbt_cloud.tasks.deferral import is_of_our_trigger, poll_after_timeout

        event = validate_execute_complete_event(event)
        self._trigger_saw_end = is_of_our_trigger(event)
        event = poll_after_timeout(self.hook, self._account(), event, self.log)
        run_id = event.get("run_id") or self.run_id
        message = event.get("message") or f"Job run {run_id} ended with {event['status']}."
        if event["status"] == "timeout":
            self._fail(DbtCloudSensorTimeout(message))
        if event.get("reachable") is False:
            self._fail(DbtCloudApiException(message))
        if event["status"] != "success":
            self._fail_unless_ignored(context, message, cancelled=event["status"] == "cancelled")
        else:
            self.log.info(message)
            self._report(context)
        return int(run_id)

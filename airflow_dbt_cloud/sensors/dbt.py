"""The sensor that waits for a run of dbt Cloud."""

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
from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus, validate_execute_complete_event
from airflow_dbt_cloud.lineage.emit import OpenLineageMixin
from airflow_dbt_cloud.tasks import template_values
from airflow_dbt_cloud.tasks.deferral import FIRST_LOOK, ended_since, passable_hook_params
from airflow_dbt_cloud.tasks.run_outcome import explained, report_run
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.failure_tolerance import FailureTolerance

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

__all__ = ["DbtCloudJobRunException", "DbtCloudJobRunSensor", "DbtCloudJobRunStatus"]

WEEK = 60 * 60 * 24 * 7

AGAIN = 5.0
"""Seconds between two looks of one poke in mode "reschedule", while an answer is not believed yet."""


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudJobRunSensor(OpenLineageMixin, BaseSensorOperator):
    """Wait until a run has ended with success; returns the run's id.

    Args:
        dbt_cloud_conn_id: The connection.
        run_id: The run.
        account_id: The account; the connection's if None.
        deferrable: Wait in the triggerer rather than on the worker.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseSensorOperator. `timeout` is 7 days, `poke_interval` 60 seconds, or
            5 where it is deferrable, unless given.

    Raises:
        DbtCloudJobRunException: If the run failed or was cancelled.
        DbtCloudApiException: If the run can not be looked at for longer than passing faults take.
        AirflowSensorTimeout: If it has not ended in time.
        AirflowSkipException: In place of each of these where `soft_fail` is set.
    """

    template_fields = ("dbt_cloud_conn_id", "run_id", "account_id")

    def __init__(
        self,
        *,
        dbt_cloud_conn_id: str = "dbt_cloud_default",
        run_id: int | str,
        account_id: int | str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        hook_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        defaults = {"poke_interval": 5 if deferrable else 60, "timeout": WEEK}
        given = {**(kwargs.get("default_args") or {}), **kwargs}
        kwargs.update({name: value for name, value in defaults.items() if name not in given})
        super().__init__(**kwargs)
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.run_id = run_id
        self.account_id = account_id
        self.deferrable = deferrable
        self.hook_params = hook_params or {}

    @cached_property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""
        hook: DbtCloudHook = lazy.resolve_patched(__name__, "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def _account(self) -> int | str | None:
        return template_values.given(self.account_id)

    @cached_property
    def _endurance(self) -> FailureTolerance:
        return FailureTolerance(time.monotonic, self.log.warning)

    def poke(self, context: Context) -> bool:
        """Look once; a fault that is likely to pass counts as not ended.

        Raises:
            DbtCloudJobRunException: If the run failed or was cancelled.
            DbtCloudApiException: If the run cannot be looked at.
        """
        status = self._status()
        if status is None or not DbtCloudJobRunStatus.is_terminal(status):
            return False
        if status != DbtCloudJobRunStatus.SUCCESS.value:
            self.hook.log_job_run_failure_details(run_id=self.run_id, account_id=self._account())
            cancelled = status == DbtCloudJobRunStatus.CANCELLED.value
            outcome = "been cancelled" if cancelled else "failed"
            message = self._explained(context, f"Job run {self.run_id} has {outcome}.")
            self._fail(DbtCloudJobRunException(message))
        self._report(context)
        return True

    def _report(self, context: Context) -> None:
        report_run(self.hook, self.run_id, self._account(), context, self.log)

    def _explained(self, context: Context, message: str) -> str:
        """The message with what failed in the run; the report goes to the log and an XCom."""
        run = (self.hook, self.run_id, self._account())
        return explained(message, *run, context=context, log=self.log)

    def _status(self) -> int | None:
        """The run's status, or None where the look failed in a way that is lived through."""
        while True:
            try:
                status = self.hook.get_job_run_status(run_id=self.run_id, account_id=self._account())
            except DbtCloudApiException as error:
                cause = error.error or DbtCloudError(str(error))
                if not self._endurance.tolerates(cause):
                    self._fail(error)
                if not self.reschedule or cause.retryable:
                    return None
                time.sleep(AGAIN)  # the next poke is a process that knows nothing of how long this has lasted
            else:
                self._endurance.succeeded()
                return status

    def _fail(self, error: AirflowException) -> NoReturn:
        """Raise an error, or skip the task where that is wanted: alike on the worker and after deferral."""
        if self.soft_fail:
            self.log.warning("Skipped because of soft_fail: %s", error)
            raise AirflowSkipException(str(error)) from error
        raise error

    def execute(self, context: Context) -> int:
        """Wait on the worker, or look once and let the triggerer wait."""
        if not self.deferrable:
            self._wait_here(context)
        elif not self.poke(context):
            self._defer()
        return int(self.run_id)

    def _wait_here(self, context: Context) -> None:
        try:
            super().execute(context)
        except AirflowSensorTimeout as timeout:
            raise AirflowSensorTimeout(f"{timeout} {self._last_seen()}") from timeout

    def _last_seen(self) -> str:
        """What is known of a run that did not end in time, and where it can be seen."""
        url = self.hook.run_url(self.run_id)
        if not isinstance(url, str):
            return f"Job run {self.run_id} could not be looked at, and may go on."
        return f"Job run {self.run_id} is still running. See {url}."

    def _defer(self) -> None:
        now = time.time()
        trigger = lazy.resolve_patched(__name__, "DbtCloudRunJobTrigger")
        self.defer(
            trigger=trigger(
                conn_id=self.dbt_cloud_conn_id,
                run_id=int(self.run_id),
                end_time=now + self.timeout,
                account_id=self._account(),
                poll_interval=self.poke_interval,
                hook_params=passable_hook_params(self.hook_params, self.log),
                not_before=now + FIRST_LOOK,
            ),
            timeout=self.execution_timeout,
            method_name="execute_complete",
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> int:
        """Go on with what the trigger saw.

        Raises:
            DbtCloudJobRunException: If the run did not end with success.
            DbtCloudApiException: If the run could no longer be looked at, and may go on.
            AirflowSensorTimeout: If it did not end in time.
            DbtCloudTriggerEventException: If the event is none of the trigger's.
        """
        seen = validate_execute_complete_event(event)
        if seen["status"] == "timeout":
            seen = ended_since(self.hook, self._account(), seen, self.log)
        message = seen.get("message") or f"Job run {seen['run_id']} ended with {seen['status']}."
        if seen["status"] == "timeout":
            self._fail(AirflowSensorTimeout(message))
        if seen.get("looked") is False:
            self._fail(DbtCloudApiException(message))
        if seen["status"] != "success":
            self.hook.log_job_run_failure_details(run_id=self.run_id, account_id=self._account())
            self._fail(DbtCloudJobRunException(self._explained(context, message)))
        self.log.info(message)
        self._report(context)
        return int(seen["run_id"])

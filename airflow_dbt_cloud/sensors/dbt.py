"""The sensor that waits for a run of dbt Cloud."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, conf

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.job_run import DbtCloudJobRunStatus, validate_execute_complete_event
from airflow_dbt_cloud.operators import rendered
from airflow_dbt_cloud.operators.arguments import passable_hook_params
from airflow_dbt_cloud.operators.dbt import FIRST_LOOK

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

__all__ = ["DbtCloudJobRunException", "DbtCloudJobRunSensor", "DbtCloudJobRunStatus"]

WEEK = 60 * 60 * 24 * 7


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudJobRunSensor(BaseSensorOperator):
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
        hook: DbtCloudHook = lazy.resolve_in(__name__, "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def _account(self) -> int | str | None:
        return rendered.given(self.account_id)

    def poke(self, context: Context) -> bool:  # noqa: ARG002 -- Airflow's signature
        """Look once.

        Raises:
            DbtCloudJobRunException: If the run failed or was cancelled.
        """
        status = self.hook.get_job_run_status(run_id=self.run_id, account_id=self._account())
        if DbtCloudJobRunStatus.is_terminal(status) and status != DbtCloudJobRunStatus.SUCCESS.value:
            self.hook.log_job_run_failure_details(run_id=self.run_id, account_id=self._account())
            cancelled = status == DbtCloudJobRunStatus.CANCELLED.value
            outcome = "been cancelled" if cancelled else "failed"
            raise DbtCloudJobRunException(f"Job run {self.run_id} has {outcome}.")
        return bool(status == DbtCloudJobRunStatus.SUCCESS.value)

    def execute(self, context: Context) -> int:
        """Wait on the worker, or look once and let the triggerer wait."""
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self._defer()
        return int(self.run_id)

    def _defer(self) -> None:
        now = time.time()
        trigger = lazy.resolve_in(__name__, "DbtCloudRunJobTrigger")
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

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> int:  # noqa: ARG002
        """Go on with what the trigger saw.

        Raises:
            DbtCloudJobRunException: If the run did not end with success, or not in time.
            DbtCloudTriggerEventException: If the event is none of the trigger's.
        """
        seen = validate_execute_complete_event(event)
        message = seen.get("message") or f"Job run {seen['run_id']} ended with {seen['status']}."
        if seen["status"] != "success":
            raise DbtCloudJobRunException(message)
        self.log.info(message)
        return int(seen["run_id"])

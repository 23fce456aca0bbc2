"""Checks that a run executed everything that the retry plan of an earlier run had left to do.

A selection that matches no node is no error for dbt. So a run by the commands of a plan can succeed although
a failed node was not executed, for example after it was renamed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dbtcloud.client.models import Run
from dbtcloud.report.retry_plan import unexecuted_message

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


class PlannedRetry:
    """A successful run that may have executed the commands of a retry plan.

    Args:
        hook: Reads the runs.
        run_id: The run.
        account_id: Its account, or None for the connection's.
    """

    def __init__(self, hook: DbtCloudHook, run_id: int, account_id: int | str | None) -> None:
        self._hook, self._run_id, self._account_id = hook, run_id, account_id

    def left_out(self, failed: Iterable[Run]) -> str | None:
        """Return a message that names the nodes of plans that the run and those before it have left out.

        Returns:
            None if nothing was left out.

        Args:
            failed: The runs of the task that failed before it, newest first. The oldest one executed the
                commands that the task itself asks for; the others may have executed those of a plan, too.

        Raises:
            DbtCloudApiException: If a run or its results cannot be read.
        """
        runs = list(failed)
        whole = self._steps(runs[-1].id) if runs else None
        if not runs or self._steps(self._run_id) == whole:
            return None
        executed = list(self._results(self._run_id))
        missing: dict[str, None] = {}
        for run in runs:
            plan = self._hook.get_job_run_retry_plan(run_id=run.id, account_id=self._account_id)
            missing |= dict.fromkeys(plan.unexecuted(executed))
            if _steps_override(plan.run.data) == whole:
                break
            executed += self._results(run.id)
        return unexecuted_message(self._run_id, list(missing)) if missing else None

    def _steps(self, run_id: int) -> Any:
        answer = self._hook.get_job_run(
            run_id=run_id, account_id=self._account_id, include_related=["trigger"]
        )
        return _steps_override(answer.json()["data"])

    def _results(self, run_id: int) -> Any:
        return self._hook.get_job_run_results(run_id=run_id, account_id=self._account_id)


def _steps_override(run: Any) -> Any:
    return (run.get("trigger") or {}).get("steps_override") or None

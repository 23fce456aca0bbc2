"""Gets a task its run: one of an earlier try, one that goes on already, or a new one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.run.marker import dag_run_start, mark_of
from airflow_dbt_cloud.operators.run.pending_start import Pending
from airflow_dbt_cloud.operators.run.retry_plan_log import told_plan
from airflow_dbt_cloud.operators.run.reuse import decide_reuse
from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import UNFINISHED, Run, status_name
from dbtcloud.client.run_start import SEARCH_DELAYS

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
    from dbtcloud.report.retry_plan import RetryPlan


ON_ITS_WAY = (0.0, 0.5, 1.0, 1.0)
"""Seconds before each look of a killed task for the run that it was about to start."""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that a task goes on with.

    Attributes:
        run: The run as dbt Cloud describes it.
        owned: Whether this task started it, in this or an earlier try; only then may it cancel it.
        adopted: Whether an earlier try started it; if that one ends cancelled, it was not the task's outcome.
    """

    run: Mapping[str, Any]
    owned: bool = True
    adopted: bool = False


class Start:
    """One start of a job by an operator.

    Args:
        operator: Whose arguments and hook are used.
        context: Airflow's context of the try.
        job_id: The job.
        overrides: What the request holds; a `cause` among it goes before `reason`.
        reason: The text of the cause.
    """

    def __init__(
        self,
        operator: DbtCloudRunJobOperator,
        context: Context,
        job_id: int | str,
        overrides: dict[str, Any],
        reason: str,
    ) -> None:
        self.operator, self.hook, self.log = operator, operator.hook, operator.log
        self.job_id, self.overrides, self.reason = job_id, overrides, reason
        self.mark = mark_of(context, job_id, overrides)
        self.since = dag_run_start(context)
        self._pending = Pending(context)
        is_task = getattr(context.get("ti"), "task_id", None) == operator.task_id
        self._alone = is_task and not operator.is_extended  # or a task of the user's own may start several
        self._asked = False
        self._superseded: set[int] = set()
        self._failed: Run | None = None
        self._retrying: int | None = None

    def settle(self) -> Started:
        """The run to go on with.

        Raises:
            AirflowSkipException: If the job runs already and `if_running` is "skip".
            DbtCloudJobRunException: If the job runs already and `if_running` is "fail".
            DbtCloudApiException: If dbt Cloud refuses.
        """
        return self._earlier() or self._somebody_elses() or self._retried() or self.anew()

    def anew(self) -> Started:
        """A new run, whatever there is."""
        self.operator.stop_if_killed()
        overrides = dict(self.overrides)
        self.hook.mark, self._asked = self.mark, True
        try:
            with self._pending.asking(str(self.mark)):
                answer = self.hook.trigger_job_run(
                    account_id=self.operator.account_id,
                    job_id=self.job_id,
                    cause=self.reason,
                    steps_override=overrides.pop("steps_override", None),
                    schema_override=overrides.pop("schema_override", None),
                    additional_run_config=overrides,
                )
        finally:
            self.hook.mark = None  # further starts by the same hook are other starts
        return Started(answer.json()["data"])

    def find(self) -> list[Run]:
        """Runs of this task that carry its mark, newest first; where it makes retries, all retries too.

        A retry carries no mark. Where this task makes none, somebody else has made those that there are.
        """
        from airflow_dbt_cloud.hooks.run_request import SKEW, horizon

        def ours(run: Run) -> bool:
            mark = Marker.find(run.cause)
            retries = self.operator.retry_from_failure and run.retried_run_id is not None
            return retries or (mark is not None and mark.task == self.mark.task)

        since = self.since - SKEW if self.since else horizon()
        return self.hook.find_job_runs(self.job_id, since, ours, account_id=self.operator.account_id)

    def _found_surely(self) -> list[Run]:
        """Runs of this task; what an earlier try has asked for without an answer is waited for if need be."""
        asked, found = self._pending.left(), self.find()
        for pause in SEARCH_DELAYS if asked else ():
            if any(asked in {str(Marker.find(run.cause)), f"retry of {run.retried_run_id}"} for run in found):
                break
            self.log.info("The run that an earlier try asked for is not seen; looking again in %g s.", pause)
            time.sleep(pause)
            found = self.find()
        return found

    def begun(self) -> Run | None:
        """The run that was asked for and whose answer has not come; the request may still be on its way."""
        if not self._asked:
            return None
        return on_its_way(lambda: [run for run in self.find() if self._is_asked_for(run)])

    def _is_asked_for(self, run: Run) -> bool:
        if self._retrying is not None:
            return run.retried_run_id == self._retrying
        return Marker.find(run.cause) == self.mark

    def _earlier(self) -> Started | None:
        """The run of an earlier try, where it is to be gone on with; what goes on of others is cancelled."""
        if self.mark.attempt <= 1:
            return None
        adopts = self.operator.on_retry == "adopt"
        whole = adopts and not self.operator.is_extended
        runs = self._found_surely()
        verdict = decide_reuse(
            self.mark, runs, take_finished=whole, take_unfinished=adopts, alone=self._alone
        )
        self._superseded, self._failed = {run.id for run in verdict.superseded}, verdict.failed
        for run in verdict.superseded:
            self.log.info("Run %s was started by an earlier try and is superseded; cancelling it.", run.id)
            self.hook.cancel_job_run(run_id=run.id, account_id=self.operator.account_id)
        if verdict.adopted is None:
            if not (self.operator.retry_from_failure and self._failed):
                why = verdict.reason if adopts else "on_retry is 'rerun'"
                self.log.info("A new run is started: %s.", why)
            return None
        self.log.info("Run %s is taken: %s.", verdict.adopted.id, verdict.reason)
        return Started(verdict.adopted.data, adopted=True)

    def _retried(self) -> Started | None:
        """A run that goes on where that of an earlier try failed, where that is wanted and can be done.

        Whoever cannot be told of a lost answer finds it by the run that it retries; it carries no mark.
        """
        if not self.operator.retry_from_failure or self._failed is None:
            return None
        failed, account = self._failed.id, self.operator.account_id
        plan = told_plan(self.hook, failed, account, self.log)
        self.operator.stop_if_killed()
        self._asked, self._retrying = True, failed
        try:
            with self._pending.asking(f"retry of {failed}"):
                answer = self.hook.retry_job_run(run_id=failed, account_id=account)
        except DbtCloudApiException as error:
            if not isinstance(error.error, NotRetryable):
                raise
            self._retrying = None
            self._make_do(plan, str(error))
            return None
        self.log.info("Run %s is retried from its failure, with its own overrides.", failed)
        return Started(answer.json()["data"])

    def _make_do(self, plan: RetryPlan | None, why: str) -> None:
        """Say what is started in place of a retry that dbt Cloud refuses."""
        if self.operator.retry_from_failure == "steps" and plan is not None and plan.commands:
            self.overrides = {**self.overrides, "steps_override": list(plan.commands)}
            self.log.info("%s A new run is started with the commands of its retry plan.", why)
        else:
            self.log.info("%s A new run is started.", why)

    def _somebody_elses(self) -> Started | None:
        """What `if_running` makes of runs of the job that are going; None to start a new one."""
        policy = self.operator.if_running
        if policy == "queue" or not (going := self._going()):
            return None
        run, what = going[0], f"Job {self.job_id} is running already: run {going[0]['id']}"
        what += f" is {status_name(run['status']).lower()}, and if_running is {policy!r}"
        if policy == "skip":
            raise AirflowSkipException(f"{what}.")
        if policy == "fail":
            raise DbtCloudJobRunException(f"{what}. Wait for it, or choose another if_running.")
        self.log.info("%s.", what)
        if policy == "attach":
            return Started(run, owned=False)
        for other in going:
            self.hook.cancel_job_run(run_id=other["id"], account_id=self.operator.account_id)
        return None

    def _going(self) -> list[dict[str, Any]]:
        """Runs of the job that go on, whoever started them, newest first; not those just cancelled."""
        query = {
            "job_definition_id": self.job_id,
            "status__in": str(sorted(map(int, UNFINISHED))),
            "order_by": "-created_at",
            "limit": 1 + len(self._superseded) if self.operator.if_running == "attach" else 100,
        }
        answer = self.hook.get_job_runs(account_id=self.operator.account_id, payload=query)
        return [run for run in answer.json()["data"] or () if run["id"] not in self._superseded]


def on_its_way(look: Callable[[], list[Run]]) -> Run | None:
    """The first run that some looks show, made within the seconds that a killed task has."""
    for pause in ON_ITS_WAY:
        time.sleep(pause)
        for run in look():
            return run
    return None


def reason_for(operator: DbtCloudRunJobOperator, context: Context) -> str:
    """Why the run is started; other tools match the default's wording."""
    if not operator.trigger_reason:
        ti = context["ti"]
        operator.trigger_reason = (
            f"Triggered via Apache Airflow by task {ti.task_id!r} in the {ti.dag_id} DAG."
        )
    if operator.openlineage_inject_parent_job_info:
        from airflow_dbt_cloud.lineage.parent import cause_with_parent

        operator.trigger_reason = cause_with_parent(operator.trigger_reason, context["ti"], operator.log)
    return operator.trigger_reason

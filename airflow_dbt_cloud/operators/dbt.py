"""The operator that runs dbt Cloud jobs, and the names of all other operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.job_runs.status import (
    DBT_CAUSE_MAX_LENGTH,
    DbtCloudJobRunStatus,
    JobRunInfo,
    validate_execute_complete_event,
)
from airflow_dbt_cloud.links import DbtCloudRunJobOperatorLink
from airflow_dbt_cloud.operators.artifacts import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudGetJobRunLogsOperator,
)
from airflow_dbt_cloud.operators.cancel import DbtCloudCancelJobRunOperator
from airflow_dbt_cloud.operators.lists import DbtCloudListJobRunsOperator, DbtCloudListJobsOperator
from airflow_dbt_cloud.operators.retry import DbtCloudRetryJobRunOperator
from airflow_dbt_cloud.operators.run.lifecycle import JobRunLifecycle
from airflow_dbt_cloud.tasks.template_values import TemplateValue, or_none, parse_overrides

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dbt_cloud.operators.run.starters import JobStarter
    from dbtcloud.report.success_criteria import SuccessCriteria

__all__ = [
    "DBT_CAUSE_MAX_LENGTH",
    "DbtCloudCancelJobRunOperator",
    "DbtCloudGetJobRunArtifactOperator",
    "DbtCloudGetJobRunLogsOperator",
    "DbtCloudJobRunException",
    "DbtCloudJobRunStatus",
    "DbtCloudListJobRunsOperator",
    "DbtCloudListJobsOperator",
    "DbtCloudRetryJobRunOperator",
    "DbtCloudRunJobOperator",
    "DbtCloudRunJobOperatorLink",
    "JobRunInfo",
    "validate_execute_complete_event",
]

_IF_RUNNING = ("queue", "attach", "skip", "fail", "cancel")
_ON_RETRY = ("adopt", "rerun")

# Names that people write, and the argument that they mean.
_MISNAMED = {
    "cause": "trigger_reason",
    "wait_for_completion": "wait_for_termination",
    "poll_interval": "check_interval",
    "poke_interval": "check_interval",
    "polling_interval": "check_interval",
    "threads": "threads_override",
    "target": "target_name_override",
    "target_name": "target_name_override",
    "schema": "schema_override",
    "steps": "steps_override",
    "branch": "git_branch",
}


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudRunJobOperator(JobRunLifecycle, BaseOperator):
    """Run a dbt Cloud job and, unless `wait_for_termination` is False, wait for its end.

    The run's id (int) is the return value. XComs `job_run_url` and `job_run_id` are there right after the
    start. All arguments that end up in the request to dbt Cloud are templated.

    Args:
        dbt_cloud_conn_id: The connection.
        job_id: The job's id; or give the three names instead.
        project_name: Name of the job's project.
        environment_name: Name of the job's environment.
        job_name: Name of the job. If project and environment are omitted, it must be the only one of that
            name in the account.
        account_id: The account; the connection's if None.
        trigger_reason: The run's cause, at most 255 characters; names the task and the DAG if None.
        steps_override: dbt commands in place of the job's.
        schema_override: Schema in place of the environment's.
        wait_for_termination: Whether to wait for the run's end.
        timeout: Seconds (or a timedelta) to wait.
        check_interval: Seconds (or a timedelta) between two polls.
        additional_run_config: Further fields of the request; they take precedence over the arguments.
        reuse_existing_run: The same as `if_running="attach"`.
        retry_from_failure: In a retry or after a clear of the task, continue the run that the task started
            where that run failed; the overrides of that run stay. Where dbt Cloud cannot do that, the log
            says why, and True starts a new run; "steps" starts one that executes only what is left to do, and
            fails the task if dbt has not executed all of that.
        deferrable: Wait in the triggerer rather than on the worker.
        hook_params: Further arguments of `DbtCloudHook`.
        openlineage_inject_parent_job_info: Put the OpenLineage parent job into the cause, where it fits.
        git_branch: Branch to run.
        git_sha: Commit to run.
        target_name_override: dbt target.
        threads_override: Number of dbt threads.
        dbt_version_override: dbt version.
        generate_docs_override: Whether to generate docs.
        timeout_seconds_override: Seconds after which dbt Cloud cancels the run.
        if_running: What to do when the job is running already: "queue" a run behind it, "attach" to the
            running one, "skip" the task, "fail" it, or "cancel" what is running and start a new run.
        on_retry: What a retry does with the run of an earlier try: "adopt" it while it is running or when it
            succeeded, or "rerun" the job. A subclass with an `execute` or `execute_complete` of its own
            adopts unfinished runs only.
        durable: False is the same as `on_retry="rerun"`.
        cancel_on_timeout: Whether `timeout` also cancels the run. `execution_timeout` always does.
        fail_on: Nodes that a run may not fail on, as names ("orders"), unique ids ("model.shop.orders") and
            tags ("tag:nightly"). If only other nodes fail, the task succeeds. It fails if one of these is
            skipped or has no result, or a step fails for another reason than its nodes.
        ignore: Nodes that a run may fail on, in the same way. If only these fail, the task succeeds.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudJobRunException: If the run fails, is cancelled, or does not end in time.
        DbtCloudResourceLookupError: If no job has these names, or several do.
        DbtCloudApiException: If dbt Cloud refuses a request or cannot be reached.
        ValueError: If an argument cannot be used.
    """

    template_fields = (
        "dbt_cloud_conn_id",
        "job_id",
        "project_name",
        "environment_name",
        "job_name",
        "account_id",
        "trigger_reason",
        "steps_override",
        "schema_override",
        "additional_run_config",
        "git_branch",
        "git_sha",
        "target_name_override",
        "threads_override",
        "dbt_version_override",
        "generate_docs_override",
        "timeout_seconds_override",
        "fail_on",
        "ignore",
    )

    def __init__(
        self,
        *,
        dbt_cloud_conn_id: str = "dbt_cloud_default",
        job_id: int | str | None = None,
        project_name: str | None = None,
        environment_name: str | None = None,
        job_name: str | None = None,
        account_id: int | str | None = None,
        trigger_reason: str | None = None,
        steps_override: list[str] | None = None,
        schema_override: str | None = None,
        wait_for_termination: bool = True,
        timeout: float = 60 * 60 * 24 * 7,
        check_interval: float = 60,
        additional_run_config: dict[str, Any] | None = None,
        reuse_existing_run: bool = False,
        retry_from_failure: bool | Literal["steps"] = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        hook_params: dict[str, Any] | None = None,
        openlineage_inject_parent_job_info: bool = conf.getboolean(
            "openlineage", "spark_inject_parent_job_info", fallback=False
        ),
        git_branch: str | None = None,
        git_sha: str | None = None,
        target_name_override: str | None = None,
        threads_override: int | str | None = None,
        dbt_version_override: str | None = None,
        generate_docs_override: bool | str | None = None,
        timeout_seconds_override: int | str | None = None,
        if_running: str = "queue",
        on_retry: str = "adopt",
        durable: bool = True,
        cancel_on_timeout: bool = False,
        fail_on: str | list[str] | None = None,
        ignore: str | list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        _explain_misnamed(kwargs)
        super().__init__(**kwargs)
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.job_id = job_id
        self.project_name = project_name
        self.environment_name = environment_name
        self.job_name = job_name
        # Known before rendering: a template that renders to nothing is a name that is missing.
        self._omits_place = project_name is None and environment_name is None
        self.account_id = account_id
        self.trigger_reason = trigger_reason
        self.steps_override = steps_override
        self.schema_override = schema_override
        self.wait_for_termination = wait_for_termination
        self.timeout = timeout
        self.check_interval = check_interval
        self.additional_run_config = additional_run_config or {}
        self.reuse_existing_run = reuse_existing_run
        self.retry_from_failure = _parse_retry_from_failure(retry_from_failure)
        self.deferrable = deferrable
        self.hook_params = hook_params or {}
        self.openlineage_inject_parent_job_info = openlineage_inject_parent_job_info
        self.git_branch = git_branch
        self.git_sha = git_sha
        self.target_name_override = target_name_override
        self.threads_override = threads_override
        self.dbt_version_override = dbt_version_override
        self.generate_docs_override = generate_docs_override
        self.timeout_seconds_override = timeout_seconds_override
        self.if_running = _one_of("if_running", "attach" if reuse_existing_run else if_running, _IF_RUNNING)
        self.durable = durable
        self.on_retry = _one_of("on_retry", on_retry if durable else "rerun", _ON_RETRY)
        self.cancel_on_timeout = cancel_on_timeout
        self.fail_on = fail_on
        self.ignore = ignore

    @property
    def run_id(self) -> int | None:
        """The id of the run, or None before there is one."""
        return self.job_run_id

    @run_id.setter
    def run_id(self, run_id: int | None) -> None:
        self.job_run_id = run_id

    def execute(self, context: Context) -> int:
        """Start a run of the job or follow one that there is already, and wait for its end.

        With `deferrable`, the wait continues in the triggerer, and then in `execute_complete`.
        """
        if not self.durable:
            self.log.warning("durable is False, so a retry of this task may start a second run.")
        deadlines = self._begin()
        # Whatever is wrong with an argument shows here, before a run is started.
        self._starter = self._make_starter(context)
        self._follow(context, self._starter.obtain_run())
        if self.wait_for_termination:
            self._wait(context, deadlines)
        return self._run

    def _check_success(self, context: Context) -> None:
        if self.retry_from_failure == "steps" and getattr(context["ti"], "try_number", 1) != 1:
            # After a deferral there is no starter yet.
            starter = self._starter or self._make_starter(context)
            starter.require_planned_nodes(self._run)

    def _make_starter(self, context: Context) -> JobStarter:
        """Read the arguments as the templates have left them."""
        from airflow_dbt_cloud.operators.run.starters import JobStarter

        self._success_criteria()
        self.job_id = self._find_job()
        overrides = parse_overrides(self)
        own_class = DbtCloudRunJobOperator
        # A subclass that overrides one of these does more than this class, before or after the run.
        extended = (
            type(self).execute is not own_class.execute
            or type(self).execute_complete is not own_class.execute_complete
        )
        return JobStarter(self, context, self.job_id, overrides, self._cause(context), extended=extended)

    def _success_criteria(self) -> SuccessCriteria | None:
        from airflow_dbt_cloud.tasks.run_outcome import parse_success_criteria

        return parse_success_criteria(self.fail_on, self.ignore)

    def _find_job(self) -> int | str:
        """Return the job's id, from the argument or by the names."""
        if job := or_none(self.job_id):
            _check_job_id(job)
            return job
        wanted = ("project_name", "environment_name", "job_name")
        names: dict[str, Any] = {name: TemplateValue(name, getattr(self, name)).text() for name in wanted}
        missing = [name for name, value in names.items() if not value]
        by_name_alone = self._omits_place and names["job_name"] and len(missing) == 2
        if missing and not by_name_alone:
            raise ValueError(
                "Either job_id or project_name, environment_name, and job_name must be provided. "
                f"There is no job_id and no {' and no '.join(missing)}."
            )
        found: int = self.hook.get_job_by_name(account_id=self.account_id, **names)["id"]
        return found

    def _cause(self, context: Context) -> str:
        """Return why the run is started."""
        self.trigger_reason = TemplateValue("trigger_reason", self.trigger_reason).text()
        if self.trigger_reason is None:
            # Other tools match this wording, which is that of the official provider. It names this operator,
            # even if another task executes it.
            has_dag: bool = self.has_dag()  # type: ignore[no-untyped-call]
            dag_id = self.dag.dag_id if has_dag else context["ti"].dag_id
            self.trigger_reason = (
                f"Triggered via Apache Airflow by task {self.task_id!r} in the {dag_id} DAG."
            )
        if self.openlineage_inject_parent_job_info:
            inject = lazy.resolve_patched(__name__, "inject_parent_job_information_into_dbt_cloud_cause")
            self.trigger_reason = inject(self.trigger_reason, context["ti"])
        return self.trigger_reason


def _explain_misnamed(kwargs: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument that has another name here, naming both."""
    for name in kwargs:
        if name in _MISNAMED:
            raise TypeError(
                f"DbtCloudRunJobOperator has no argument {name!r}. Did you mean {_MISNAMED[name]!r}?"
            )


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    """Return the value if it is a known one, or raise ValueError naming those that are."""
    if value not in known:
        raise ValueError(f"{name} is {value!r}. It has to be one of {', '.join(map(repr, known))}.")
    return value


def _parse_retry_from_failure(value: object) -> bool | Literal["steps"]:
    if isinstance(value, str):
        _one_of("retry_from_failure", value, ("steps",))
        return "steps"
    return bool(value)


def _check_job_id(job: object) -> None:
    """Check that a job_id is a number, before anything is asked of dbt Cloud."""
    from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
    from dbtcloud.client.protocol import identifier
    from dbtcloud.errors import InvalidArgument

    with as_airflow_exceptions():
        try:
            identifier(job, "job_id")
        except InvalidArgument as error:
            names = "project_name, environment_name and job_name"
            fix = f"Give the job_id as a number; names go into {names}"
            raise InvalidArgument(error.what, why=error.why, fix=fix) from None

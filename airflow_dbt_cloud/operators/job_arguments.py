"""The arguments of the operator that runs a job: declared, documented and kept in one place."""

from __future__ import annotations

from typing import Any, Literal

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_dbt_cloud.operators.argument_checks import explain_unknown, one_of

IF_RUNNING = ("queue", "attach", "skip", "fail", "cancel")
ON_RETRY = ("adopt", "rerun")


class JobArguments(BaseOperator):
    """What can be said about a run: every argument of the API, templated, and how it is waited for.

    Args:
        dbt_cloud_conn_id: The connection.
        job_id: The job, as a number; or give its names instead.
        project_name: Name of the job's project.
        environment_name: Name of the job's environment.
        job_name: Name of the job.
        account_id: The account; the connection's if None.
        trigger_reason: The run's cause, 255 characters at the most; names the task and the DAG if None.
        steps_override: dbt commands in place of the job's.
        schema_override: Schema in place of the environment's.
        wait_for_termination: Whether to wait for the run's end.
        timeout: Seconds to wait.
        check_interval: Seconds between two looks.
        additional_run_config: Further fields of the request; they go before the arguments.
        reuse_existing_run: The same as `if_running="attach"`.
        retry_from_failure: In a retry or after a clear of the task, take the run that it started up where
            that failed; the run's overrides stay as they were. Where dbt Cloud cannot do that, the log says
            why, and True starts a new run; "steps" starts one that executes only what is left to be done.
        deferrable: Wait in the triggerer rather than on the worker.
        hook_params: Further arguments of `DbtCloudHook`.
        openlineage_inject_parent_job_info: Put the OpenLineage parent job into the cause, where it fits.
        git_branch: Branch to run.
        git_sha: Commit to run.
        target_name_override: dbt target.
        threads_override: dbt threads.
        dbt_version_override: dbt version.
        generate_docs_override: Whether to generate docs.
        timeout_seconds_override: Seconds after which dbt Cloud cancels the run.
        if_running: What to do when the job is running already: "queue" a run behind it, "attach" to the
            running one, "skip" the task, "fail" it, or "cancel" what runs and start anew.
        on_retry: What a retry does with the run of an earlier try: "adopt" it while it goes on or when it
            succeeded, or "rerun" the job. A subclass with an `execute` or `execute_complete` of its own only
            adopts what goes on.
        cancel_on_timeout: Whether `timeout` also cancels the run. `execution_timeout` always does.
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
        cancel_on_timeout: bool = False,
        **kwargs: Any,
    ) -> None:
        explain_unknown(kwargs)
        super().__init__(**kwargs)
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.job_id = job_id
        self.project_name = project_name
        self.environment_name = environment_name
        self.job_name = job_name
        self.account_id = account_id
        self.trigger_reason = trigger_reason
        self.steps_override = steps_override
        self.schema_override = schema_override
        self.wait_for_termination = wait_for_termination
        self.timeout = timeout
        self.check_interval = check_interval
        self.additional_run_config = additional_run_config or {}
        self.reuse_existing_run = reuse_existing_run
        self.retry_from_failure = _retry_from_failure(retry_from_failure)
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
        self.if_running = one_of("if_running", "attach" if reuse_existing_run else if_running, IF_RUNNING)
        self.on_retry = one_of("on_retry", on_retry, ON_RETRY)
        self.cancel_on_timeout = cancel_on_timeout


def _retry_from_failure(value: object) -> bool | Literal["steps"]:
    if isinstance(value, str):
        one_of("retry_from_failure", value, ("steps",))
        return "steps"
    return bool(value)

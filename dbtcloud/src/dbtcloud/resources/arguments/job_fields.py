"""The fields of a job that can be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class JobFields(TypedDict, total=False):
    """The fields of a job beside its name and its place (API v2, `HumanReadableJobDefinitionRequest`).

    Attributes:
        description: What it is for.
        execute_steps: The commands of a run, such as ["dbt build"].
        dbt_version: The version of dbt; that of the environment if None.
        settings: `threads` and `target_name`.
        execution: `timeout_seconds`; 0 for none.
        triggers: What starts it: `schedule`, `github_webhook`, `git_provider_webhook`, `on_merge` and
            `custom_branch_only`, each true or false.
        schedule: `date` and `time`, each with a `type`, or `cron` alone, in UTC. It takes effect if
            `triggers.schedule` is true.
        job_completion_trigger_condition: The job whose end starts it.
        job_type: "scheduled", "other", "ci", "merge" and others.
        generate_docs: Whether each run ends with `dbt docs generate`.
        generate_sources: Whether each run generates source data.
        run_generate_sources: Whether each run begins with `dbt source freshness`.
        deferring_environment_id: The environment that it defers to.
        deferring_job_definition_id: The job that it defers to.
        lifecycle_webhooks: Whether its runs send webhooks.
        run_compare_changes: Whether each run compares what has changed.
        compare_changes_flags: The selection of what is compared.
        run_lint: Whether each run lints.
        errors_on_lint_failure: Whether a run fails that lints in vain.
        cost_optimization_features: Such as ["dbt_state"].
        triggers_on_draft_pr: Whether drafts of pull requests start it.
        state: 1 for an active job, 2 for a deleted one.
    """

    description: str | None
    execute_steps: list[str]
    dbt_version: str | None
    settings: Mapping[str, Any]
    execution: Mapping[str, Any]
    triggers: Mapping[str, bool]
    schedule: Mapping[str, Any]
    job_completion_trigger_condition: Mapping[str, Any] | None
    job_type: str
    generate_docs: bool
    generate_sources: bool
    run_generate_sources: bool
    deferring_environment_id: int | None
    deferring_job_definition_id: int | None
    lifecycle_webhooks: bool
    run_compare_changes: bool
    compare_changes_flags: str
    run_lint: bool
    errors_on_lint_failure: bool
    cost_optimization_features: list[str]
    triggers_on_draft_pr: bool
    state: int


class JobChanges(JobFields, total=False):
    """The fields of a job that can be changed.

    Attributes:
        name: Its name.
        project_id: Its project.
        environment_id: Its environment.
    """

    name: str
    project_id: int
    environment_id: int

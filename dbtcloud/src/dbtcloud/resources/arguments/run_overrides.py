"""What one run of a job may have instead of the job's own settings."""

from __future__ import annotations

from typing import TypedDict


class RunOverrides(TypedDict, total=False):
    """The fields of API v2 "Trigger Job Run" beside the cause. None leaves a setting to the job.

    Attributes:
        git_sha: The commit that is checked out.
        git_branch: The branch that is checked out.
        schema_override: The schema that dbt writes to.
        target_name_override: The `target.name` in dbt's context.
        dbt_version_override: The version of dbt.
        threads_override: How many threads dbt has.
        timeout_seconds_override: Seconds after which dbt Cloud cancels the run.
        generate_docs_override: Whether the run ends with `dbt docs generate`.
        steps_override: The commands of the run, such as ["dbt build"].
        azure_pull_request_id: The pull request in Azure DevOps that the run checks.
        github_pull_request_id: The pull request in GitHub.
        gitlab_merge_request_id: The merge request in GitLab.
        non_native_pull_request_id: The pull request elsewhere.
    """

    git_sha: str | None
    git_branch: str | None
    schema_override: str | None
    target_name_override: str | None
    dbt_version_override: str | None
    threads_override: int | None
    timeout_seconds_override: int | None
    generate_docs_override: bool | None
    steps_override: list[str] | None
    azure_pull_request_id: int | None
    github_pull_request_id: int | None
    gitlab_merge_request_id: int | None
    non_native_pull_request_id: int | None

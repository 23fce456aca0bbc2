"""Accounts, projects, environments and jobs as dbt Cloud's Admin API writes them."""

from collections.abc import Callable
from typing import Any

from dbtcloud.local.model.clock import Timestamp
from dbtcloud.local.model.records import AccountRecord, EnvironmentRecord, JobRecord, ProjectRecord
from dbtcloud.local.orchestration.schedule import HOURLY, CronExpression, normalise_schedule

USER: dict[str, Any] = {
    "id": 1,
    "state": 1,
    "first_name": "Local",
    "last_name": "User",
    "fullname": "Local User",
    "email": "local.user@example.com",
    "is_active": True,
    "is_staff": False,
    "licenses": {},
    "permissions": [],
}
"""The user of all tokens. Terraform's provider reads `id` and `email` from the answer of `whoami`."""


def account_json(account: AccountRecord, base_url: str) -> dict[str, Any]:
    """Return an account, with the limits of a large plan."""
    return {
        "docs_job_id": None,
        "freshness_job_id": None,
        "lock_reason": None,
        "unlock_if_subscription_renewed": False,
        "read_only_seats": 50,
        "id": account.id,
        "name": account.name,
        "state": account.state,
        "plan": "enterprise",
        "pending_cancel": False,
        "run_slots": 15,
        "developer_seats": 10,
        "queue_limit": 50,
        "pod_memory_request_mebibytes": 600,
        "run_duration_limit_seconds": 86_400,
        "enterprise_authentication_method": None,
        "enterprise_login_slug": None,
        "enterprise_unique_identifier": None,
        "billing_email_address": None,
        "locked": False,
        "develop_file_system": True,
        "unlocked_at": None,
        "created_at": Timestamp.iso(account.created_at),
        "updated_at": Timestamp.iso(account.created_at),
        "starter_repo_url": None,
        "sso_reauth": False,
        "git_auth_level": "personal",
        "identifier": f"local-{account.id}",
        "docs_job": None,
        "freshness_job": None,
        "enterprise_login_url": f"{base_url}/enterprise-login/None/",
        **_OF_NEWER_ACCOUNTS,
    }


_OF_NEWER_ACCOUNTS: dict[str, Any] = {
    "it_seats": 0,
    "explorer_seats": 0,
    "analyst_seats": 0,
    "lock_cause": None,
    "develop_pod_memory_request_mebibytes": 0,
    "business_critical": False,
    "trial_end_date": None,
    "static_subdomain": None,
    "vanity_subdomain": None,
    "run_locked_until": None,
    "copilot_locked_until": None,
    "agent_credit_locked": False,
    "account_migration_events": [],
    "groups": [],
}


def project_json(project: ProjectRecord) -> dict[str, Any]:
    """Return a project. Its connection is DuckDB, and it has no repository."""
    return {
        "name": project.name,
        "description": project.description,
        "account_id": project.account_id,
        "connection_id": project.id,
        "repository_id": None,
        "semantic_layer_config_id": None,
        "default_version": None,
        "fusion_readiness": None,
        "id": project.id,
        "created_at": Timestamp.spaced(project.created_at),
        "updated_at": Timestamp.spaced(project.updated_at or project.created_at),
        "skipped_setup": False,
        "state": project.state,
        "type": 0,
        "dbt_project_subdirectory": project.dbt_project_subdirectory,
        "connection": _connection_json(project),
        "environments": None,
        "repository": None,
        "group_permissions": [],
        "docs_job_id": None,
        "freshness_job_id": None,
        "docs_job": None,
        "freshness_job": None,
        **project.shown,
    }


def _connection_json(project: ProjectRecord, database: str | None = None) -> dict[str, Any]:
    """Return a project's connection. `database` is the DuckDB file of an environment."""
    return {
        "id": project.id,
        "account_id": project.account_id,
        "project_id": project.id,
        "name": "DuckDB",
        "type": "duckdb",
        "created_by_id": None,
        "created_by_service_token_id": None,
        "details": {"path": database} if database else {},
        "state": project.state,
        "created_at": Timestamp.spaced(project.created_at),
        "updated_at": Timestamp.spaced(project.created_at),
        "private_link_endpoint_id": None,
    }


def environment_json(
    environment: EnvironmentRecord,
    project: ProjectRecord | None,
    format_instant: Callable[[int], str | None] = Timestamp.iso,
    database: str | None = None,
) -> dict[str, Any]:
    """Return an environment, with its project and the project's connection if the project is known.

    `format_instant` writes its instants, which differ in v2 (`Timestamp.iso`) and v3 (`Timestamp.spaced`).
    `database` is its DuckDB file.
    """
    return {
        "id": environment.id,
        "account_id": environment.account_id,
        "project_id": environment.project_id,
        "connection_id": environment.project_id,
        "repository_id": None,
        "credentials_id": None,
        "extended_attributes_id": None,
        "created_by_id": None,
        "name": environment.name,
        "dbt_version": environment.dbt_version,
        "raw_dbt_version": environment.dbt_version,
        "type": environment.type,
        "use_custom_branch": environment.use_custom_branch,
        "custom_branch": environment.custom_branch,
        "dbt_project_subdirectory": None,
        "supports_docs": True,
        "state": environment.state,
        "created_at": format_instant(environment.created_at),
        "updated_at": format_instant(environment.updated_at or environment.created_at),
        "project": {**project_json(project), "group_permissions": None} if project else None,
        "connection": _connection_json(project, database) if project else None,
        "repository": None,
        "jobs": None,
        "credentials": None,
        "custom_environment_variables": None,
        "deployment_type": environment.deployment_type,
        "is_deferrable": False,
        "fusion_readiness": None,
        "enable_model_query_history": False,
        "enable_dbt_state": False,
        "primary_profile_id": None,
        **environment.shown,
    }


def job_json(job: JobRecord, *, nested: bool = False) -> dict[str, Any]:
    """Return a job as the jobs endpoints show it, or `nested` as a run includes it."""
    schedule = _schedule(job)
    if nested:
        types = {name: schedule[name]["type"] for name in ("date", "time")}
        return {**_job_core(job), "schedule": {"cron": schedule["cron"], **types}}
    return {
        **_job_core(job),
        "schedule": schedule,
        "generate_sources": job.run_generate_sources,
        "is_system": False,
        "fusion_readiness": None,
        "describe_cron": CronExpression(schedule["cron"]).describe(),
        "next_run": None,
        "next_run_humanized": None,
        **dict.fromkeys(_RELATED_TO_JOBS),
    }


def _schedule(job: JobRecord) -> dict[str, Any]:
    return normalise_schedule(job.schedule) if job.schedule else HOURLY


def _job_core(job: JobRecord) -> dict[str, Any]:
    return {
        "execution": {"timeout_seconds": job.timeout_seconds},
        "generate_docs": job.generate_docs,
        "run_generate_sources": job.run_generate_sources,
        "id": job.id,
        "account_id": job.account_id,
        "project_id": job.project_id,
        "environment_id": job.environment_id,
        "name": job.name,
        "description": job.description,
        "dbt_version": job.dbt_version,
        "raw_dbt_version": job.dbt_version,
        "created_at": Timestamp.iso(job.created_at),
        "updated_at": Timestamp.iso(job.updated_at or job.created_at),
        "execute_steps": list(job.execute_steps),
        "state": job.state,
        "deactivated": False,
        "run_failure_count": 0,
        "deferring_job_definition_id": job.deferring_job_definition_id,
        "deferring_environment_id": job.deferring_environment_id,
        "lifecycle_webhooks_url": None,
        "triggers": {**_NO_TRIGGERS, **job.triggers},
        "settings": {"threads": job.threads, "target_name": job.target_name},
        "is_deferrable": False,
        "job_type": job.job_type,
        "job_completion_trigger_condition": job.job_completion_trigger_condition,
        **_WITHOUT_EFFECT,
        **job.shown,
    }


_RELATED_TO_JOBS = ("account", "project", "environment", "most_recent_run", "most_recent_completed_run")
"""The fields of a job that are null until `include_related` names them."""

_WITHOUT_EFFECT = {
    "lifecycle_webhooks": False,
    "run_compare_changes": False,
    "compare_changes_flags": "--select state:modified",
    "run_lint": False,
    "errors_on_lint_failure": True,
    "cost_optimization_features": [],
    "triggers_on_draft_pr": False,
}
_NO_TRIGGERS = {
    "github_webhook": False,
    "git_provider_webhook": False,
    "custom_branch_only": False,
    "schedule": False,
    "on_merge": False,
}

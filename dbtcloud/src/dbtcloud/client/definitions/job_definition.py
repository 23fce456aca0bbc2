"""Create and update jobs, which dbt Cloud only takes as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.changes import create_object
from dbtcloud.client.models import Job, Json
from dbtcloud.client.protocol import Call, Id, Request, ask_for_data, identifier

_RELATED = frozenset(
    {
        "account",
        "custom_environment_variables",
        "environment",
        "fusion_readiness",
        "most_recent_completed_run",
        "most_recent_run",
        "project",
    }
)
"""Fields of a job that show other objects (API v2, "Retrieve Job": `include_related`)."""


_DEFAULTS: Json = {
    "state": 1,
    "execution": {"timeout_seconds": 0},
    "settings": {"threads": 4, "target_name": "default"},
    "triggers": {"schedule": False, "github_webhook": False, "git_provider_webhook": False},
    "schedule": {"date": {"type": "every_day"}, "time": {"type": "every_hour", "interval": 1}},
    "generate_docs": False,
    "run_generate_sources": False,
    "lifecycle_webhooks": False,
    "run_compare_changes": False,
    "run_lint": False,
    "errors_on_lint_failure": False,
}
"""What dbt Cloud requires of a new job (v2, `HumanReadableJobDefinitionRequest`), where it is not given."""


def create_job(account_id: Id, fields: Json) -> Call[Job]:
    """Create a job, and return it (v2 "Create Job").

    Args:
        account_id: The account.
        fields: Its fields. It needs a name, a project and an environment.
    """
    body = {**_changed(_DEFAULTS, fields), "account_id": int(account_id)}
    return (yield from create_object(account_id, "jobs/", body, Job.parse, version="v2"))


def update_job(account_id: Id, job_id: Id, changes: Json) -> Call[Job]:
    """Change fields of a job, and return it.

    dbt Cloud replaces the whole job (v2 "Update Job"), so it is read first, and all that it has is sent with
    the changes, also fields that no documentation names.

    Args:
        account_id: The account.
        job_id: The job.
        changes: The fields that change. Of an object, such as `settings`, the fields that are not given stay.
    """
    job = yield from endpoints.get_job(account_id, job_id)
    return (yield from change_job(account_id, job, changes))


def change_job(account_id: Id, job: Job, changes: Json) -> Call[Job]:
    """Change fields of a job that has just been read, as `update_job` does."""
    kept = {name: value for name, value in job.data.items() if name not in _RELATED}
    body = _changed(kept, changes)
    # Sending the same job again changes nothing more.
    request = Request.post(account_id, "jobs", identifier(job.id, "job id"), body=body, repeatable=True)
    return (yield from ask_for_data(request, Job.parse))


def _changed(job: Json, changes: Json) -> dict[str, Any]:
    body = _merged(job, changes)
    if isinstance(changes.get("schedule"), Mapping):
        body["schedule"] = _clear_schedule(body["schedule"], changes["schedule"])
    return body


def _merged(old: Json, changes: Json) -> dict[str, Any]:
    """Return an object with changes, in which objects keep those fields that do not change.

    An object whose `type` changes is another one, such as the date of a schedule: it keeps nothing.
    """
    merged = dict(old)
    for name, new in changes.items():
        before = old.get(name)
        if isinstance(new, Mapping) and isinstance(before, Mapping):
            is_same = "type" not in new or new["type"] == before.get("type")
            merged[name] = _merged(before, new) if is_same else new
        else:
            merged[name] = new
    return merged


def _clear_schedule(merged: Json, change: Json) -> Json:
    """Return a schedule whose cron expression does not contradict its `date` and `time`."""
    if "cron" not in change:
        return {
            name: value for name, value in merged.items() if name != "cron"
        }  # it is that of the old parts
    if "date" not in change:
        return {**merged, "date": {"type": "custom_cron", "cron": change["cron"]}}
    return merged

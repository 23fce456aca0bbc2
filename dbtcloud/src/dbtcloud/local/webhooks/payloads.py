"""Webhook payloads and subscriptions, as dbt Cloud writes them."""

import re
from datetime import UTC, datetime
from typing import Any

from dbtcloud.local.model.records import (
    EnvironmentRecord,
    JobRecord,
    ProjectRecord,
    RunRecord,
    Status,
    WebhookSubscription,
)
from dbtcloud.local.store.database import Store

STARTED, COMPLETED, ERRORED = "job.run.started", "job.run.completed", "job.run.errored"
EVENT_TYPES = (STARTED, COMPLETED, ERRORED)
"""Completed is also sent for runs that failed, errored only for those. A cancelled run sends neither."""

_PREFIX = "wsu_"
_STATUS_WORDS = {Status.SUCCESS: "Success", Status.ERROR: "Errored"}


def format_subscription_id(subscription_id: int) -> str:
    """Return a subscription's id as the API shows it."""
    return f"{_PREFIX}{subscription_id:018d}"


def parse_subscription_id(text: str) -> int | None:
    """Return the id that a text names, or None."""
    digits = text.removeprefix(_PREFIX)
    return int(digits) if text.startswith(_PREFIX) and re.fullmatch(r"[0-9]{18}", digits) else None


def account_identifier(account_id: int) -> str:
    """Return an account's id as webhooks show it."""
    return f"act_{account_id:018d}"


def subscription_json(subscription: WebhookSubscription, *, secret: bool = False) -> dict[str, Any]:
    """Return a subscription as the API shows it, with microseconds as instants.

    `secret` includes the secret, which the API shows only when the subscription is created.
    """
    dispatched = {"dispatched_at": str(subscription.dispatched_at)} if subscription.dispatched_at else {}
    reason = {"deactivate_reason": subscription.deactivate_reason} if subscription.deactivate_reason else {}
    return {
        "id": format_subscription_id(subscription.id),
        "account_identifier": account_identifier(subscription.account_id),
        "name": subscription.name,
        "description": subscription.description,
        "job_ids": [str(job_id) for job_id in subscription.job_ids],
        "event_types": list(subscription.event_types),
        "client_url": subscription.client_url,
        **({"hmac_secret": subscription.secret} if secret else {}),
        "active": subscription.active,
        "created_at": str(subscription.created_at),
        "updated_at": str(subscription.updated_at or subscription.created_at),
        "account_id": str(subscription.account_id),
        "http_status_code": str(subscription.http_status_code),
        **dispatched,
        **reason,
    }


def event_payload(
    subscription: WebhookSubscription, event_id: str, event_type: str, now: int, data: dict[str, Any]
) -> dict[str, Any]:
    """Return the body that is sent for an event."""
    return {
        "accountId": subscription.account_id,
        "webhookId": format_subscription_id(subscription.id),
        "eventId": event_id,
        "timestamp": f"{_as_datetime(now):%Y-%m-%dT%H:%M:%S.%f}000Z",
        "eventType": event_type,
        "webhookName": subscription.name,
        "data": data,
    }


def run_data(store: Store, run: RunRecord, event_type: str) -> dict[str, Any]:
    """Return the `data` of an event. Here ids are strings, and instants have no fractions of a second."""
    job, project = (
        store.definitions.get(JobRecord, run.job_id),
        store.definitions.get(ProjectRecord, run.project_id),
    )
    environment = store.definitions.get(EnvironmentRecord, run.environment_id)
    status = Status.RUNNING if event_type == STARTED else Status(run.outcome or Status.ERROR)
    return {
        "jobId": str(run.job_id),
        "jobName": job.name if job else "",
        "runId": str(run.id),
        "environmentId": str(run.environment_id),
        "environmentName": environment.name if environment else "",
        "dbtVersion": run.dbt_version or "latest",
        "projectName": project.name if project else "",
        "projectId": str(run.project_id),
        "runStatus": _STATUS_WORDS.get(status, "Running"),
        "runStatusCode": int(status),
        "runStatusMessage": str(None if event_type == STARTED else run.message),
        "runReason": str(run.trigger.get("cause", "")),
        "runStartedAt": _format_seconds(run.started_at),
        **_end_time(run, event_type),
    }


def _end_time(run: RunRecord, event_type: str) -> dict[str, Any]:
    names = {COMPLETED: "runFinishedAt", ERRORED: "runErroredAt"}
    return {names[event_type]: _format_seconds(run.finished_at)} if event_type in names else {}


def _format_seconds(instant: int | None) -> str | None:
    return None if instant is None else f"{_as_datetime(instant):%Y-%m-%dT%H:%M:%SZ}"


def _as_datetime(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1_000_000, UTC)

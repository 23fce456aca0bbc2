"""Webhook subscriptions and events as dbt Cloud writes them, and the log of what was sent."""

import json
import re
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from yarl import URL

from dbtcloud.local.model.clock import Timestamp
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
_LOG_SIZE = 1_000


@dataclass(slots=True)
class WebhookEvent:
    """An event for one subscription.

    Attributes:
        id: its id.
        subscription_id: the subscription.
        account_id: the account of the subscription.
        job_id: the job of the run.
        trigger_event_type: one of `EVENT_TYPES`.
        payload: the body that is sent, in JSON.
        http_status_code: the status of the subscriber's last response, 0 for none.
    """

    id: str
    subscription_id: int
    account_id: int
    job_id: int
    trigger_event_type: str
    payload: str
    http_status_code: int = 0

    @classmethod
    def of_run(
        cls, subscription: WebhookSubscription, event_type: str, run: RunRecord, store: Store, now: int
    ) -> Self:
        """Return a new event of a run.

        Args:
            subscription: the subscription that wants the event.
            event_type: one of `EVENT_TYPES`.
            run: the run.
            store: the store with the job, project and environment of the run.
            now: the time of the event, in microseconds since 1970.
        """
        id_ = f"wev_{secrets.token_hex(13)}"
        payload = {
            "accountId": subscription.account_id,
            "webhookId": _format_subscription_id(subscription.id),
            "eventId": id_,
            "timestamp": f"{_as_datetime(now):%Y-%m-%dT%H:%M:%S.%f}000Z",
            "eventType": event_type,
            "webhookName": subscription.name,
            "data": _run_data(store, run, event_type),
        }
        return cls(id_, subscription.id, subscription.account_id, run.job_id, event_type, json.dumps(payload))

    def as_json(self) -> dict[str, Any]:
        """Return the event as the API shows it."""
        return {
            "id": self.id,
            "subscription_id": _format_subscription_id(self.subscription_id),
            "account_identifier": _account_identifier(self.account_id),
            "job_id": str(self.job_id),
            "trigger_event_type": self.trigger_event_type,
            "payload": self.payload,
            "http_status_code": str(self.http_status_code),
            "account_id": str(self.account_id),
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """An attempt to send an event, and the response to it. dbt Cloud calls it a receipt."""

    id: str
    event: WebhookEvent
    dispatched_at: int
    request_headers: dict[str, str]
    http_status_code: int = 0
    error_info: str = ""
    response_body: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the subscriber accepted the event."""
        return 200 <= self.http_status_code < 300

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as the API shows it."""
        return {
            "id": self.id,
            "event_id": self.event.id,
            "subscription_id": _format_subscription_id(self.event.subscription_id),
            "dispatched_at": Timestamp.iso(self.dispatched_at),
            "http_status_code": str(self.http_status_code),
            "error_info": self.error_info,
            "request_body": self.event.payload,
            "request_headers": str(self.request_headers),
            "response_body": self.response_body,
        }


@dataclass(slots=True)
class WebhookLog:
    """The last thousand events, and the last thousand attempts to send one."""

    _events: deque[WebhookEvent] = field(default_factory=lambda: deque(maxlen=_LOG_SIZE))
    _receipts: deque[Receipt] = field(default_factory=lambda: deque(maxlen=_LOG_SIZE))

    def add_event(self, event: WebhookEvent) -> None:
        """Log an event."""
        self._events.append(event)

    def add_receipt(self, receipt: Receipt) -> None:
        """Log an attempt to send an event."""
        self._receipts.append(receipt)

    def event(self, account_id: int, event_id: str) -> WebhookEvent | None:
        """Return an event of an account, or None if the log does not have it."""
        found = (each for each in self._events if (each.account_id, each.id) == (account_id, event_id))
        return next(found, None)

    def events_of(self, subscription_id: int) -> Iterator[WebhookEvent]:
        """Yield a subscription's events, the newest first."""
        return (each for each in reversed(self._events) if each.subscription_id == subscription_id)

    def receipts_of(self, event_id: str) -> list[Receipt]:
        """Return an event's receipts in order."""
        return [each for each in self._receipts if each.event.id == event_id]

    def receipt(self, account_id: int, receipt_id: str) -> Receipt | None:
        """Return one receipt of an account, or None if the log does not have it."""
        found = (each for each in self._receipts if each.id == receipt_id)
        return next((each for each in found if each.event.account_id == account_id), None)


def invalid_subscription_fields(event_types: Sequence[str], client_url: str) -> dict[str, str]:
    """Return what is wrong with the event types and the address of a subscription, by field."""
    if not event_types or any(each not in EVENT_TYPES for each in event_types):
        return {"event_types": f"{event_types!r}: one or more of {list(EVENT_TYPES)!r}"}
    if not _is_url(client_url):
        return {"client_url": f"{client_url!r} is not an http or https URL"}
    return {}


def _is_url(text: str) -> bool:
    try:
        address = URL(text)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.host)


def parse_subscription_id(text: str) -> int | None:
    """Return the id in the API's form of a subscription's id, or None if the text has another form."""
    digits = text.removeprefix(_PREFIX)
    return int(digits) if text.startswith(_PREFIX) and re.fullmatch(r"[0-9]{18}", digits) else None


def subscription_json(subscription: WebhookSubscription, *, secret: bool = False) -> dict[str, Any]:
    """Return a subscription as the API shows it, with microseconds as instants.

    `secret` includes the secret, which the API shows only when the subscription is created.
    """
    dispatched = {"dispatched_at": str(subscription.dispatched_at)} if subscription.dispatched_at else {}
    reason = {"deactivate_reason": subscription.deactivate_reason} if subscription.deactivate_reason else {}
    return {
        "id": _format_subscription_id(subscription.id),
        "account_identifier": _account_identifier(subscription.account_id),
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


def _format_subscription_id(subscription_id: int) -> str:
    return f"{_PREFIX}{subscription_id:018d}"


def _account_identifier(account_id: int) -> str:
    return f"act_{account_id:018d}"


def _run_data(store: Store, run: RunRecord, event_type: str) -> dict[str, Any]:
    """Return the `data` of a payload, where ids are strings, and instants have no fractions of a second."""
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

"""The webhook log: the last thousand events, and the last thousand attempts to send one."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbtcloud.local.model.clock import iso_timestamp
from dbtcloud.local.webhooks.payloads import account_identifier, format_subscription_id

_LOG_SIZE = 1_000


@dataclass(slots=True)
class Event:
    """An event for one subscription. `http_status_code` is that of the last answer, 0 for none."""

    id: str
    subscription_id: int
    account_id: int
    job_id: int
    trigger_event_type: str
    payload: str
    http_status_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the event as the API shows it."""
        return {
            "id": self.id,
            "subscription_id": format_subscription_id(self.subscription_id),
            "account_identifier": account_identifier(self.account_id),
            "job_id": str(self.job_id),
            "trigger_event_type": self.trigger_event_type,
            "payload": self.payload,
            "http_status_code": str(self.http_status_code),
            "account_id": str(self.account_id),
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """An attempt to send an event, and its answer. dbt Cloud calls it a receipt."""

    id: str
    event: Event
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
            "subscription_id": format_subscription_id(self.event.subscription_id),
            "dispatched_at": iso_timestamp(self.dispatched_at),
            "http_status_code": str(self.http_status_code),
            "error_info": self.error_info,
            "request_body": self.event.payload,
            "request_headers": str(self.request_headers),
            "response_body": self.response_body,
        }


@dataclass(slots=True)
class WebhookLog:
    """The events and the receipts."""

    _events: deque[Event] = field(default_factory=lambda: deque(maxlen=_LOG_SIZE))
    _receipts: deque[Receipt] = field(default_factory=lambda: deque(maxlen=_LOG_SIZE))

    def add_event(self, event: Event) -> None:
        """Log an event."""
        self._events.append(event)

    def add_receipt(self, receipt: Receipt) -> None:
        """Log an attempt to send an event."""
        self._receipts.append(receipt)

    def event(self, account_id: int, event_id: str) -> Event | None:
        """Return an event of an account."""
        found = (each for each in self._events if (each.account_id, each.id) == (account_id, event_id))
        return next(found, None)

    def events_of(self, subscription_id: int) -> Iterator[Event]:
        """Yield a subscription's events, the newest first."""
        return (each for each in reversed(self._events) if each.subscription_id == subscription_id)

    def receipts_of(self, event_id: str) -> list[Receipt]:
        """Return an event's receipts in order."""
        return [each for each in self._receipts if each.event.id == event_id]

    def receipt(self, account_id: int, receipt_id: str) -> Receipt | None:
        """Return one receipt of an account."""
        found = (each for each in self._receipts if each.id == receipt_id)
        return next((each for each in found if each.event.account_id == account_id), None)

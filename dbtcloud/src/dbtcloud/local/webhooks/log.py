"""What webhooks sent and what came back, as far as it is remembered: the last thousand of each."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbtcloud.local.model.clock import iso
from dbtcloud.local.webhooks.payloads import account_identifier, public_id

_KEPT = 1_000


@dataclass(slots=True)
class Event:
    """Something that one subscription was to be told; `http_status_code` is the last answer's, 0 for none."""

    id: str
    subscription_id: int
    account_id: int
    job_id: int
    trigger_event_type: str
    payload: str
    http_status_code: int = 0

    def shape(self) -> dict[str, Any]:
        """Write the event."""
        return {
            "id": self.id,
            "subscription_id": public_id(self.subscription_id),
            "account_identifier": account_identifier(self.account_id),
            "job_id": str(self.job_id),
            "trigger_event_type": self.trigger_event_type,
            "payload": self.payload,
            "http_status_code": str(self.http_status_code),
            "account_id": str(self.account_id),
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """One try to send an event, and its answer."""

    id: str
    event: Event
    dispatched_at: int
    request_headers: dict[str, str]
    http_status_code: int = 0
    error_info: str = ""
    response_body: str = ""

    @property
    def ok(self) -> bool:
        """Whether the subscriber took the event."""
        return 200 <= self.http_status_code < 300

    def shape(self) -> dict[str, Any]:
        """Write the receipt."""
        return {
            "id": self.id,
            "event_id": self.event.id,
            "subscription_id": public_id(self.event.subscription_id),
            "dispatched_at": iso(self.dispatched_at),
            "http_status_code": str(self.http_status_code),
            "error_info": self.error_info,
            "request_body": self.event.payload,
            "request_headers": str(self.request_headers),
            "response_body": self.response_body,
        }


@dataclass(slots=True)
class Deliveries:
    """The log."""

    _events: deque[Event] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _receipts: deque[Receipt] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, event: Event) -> None:
        """Remember an event."""
        self._events.append(event)

    def receive(self, receipt: Receipt) -> None:
        """Remember a try."""
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

"""The webhook sender, which polls the runs for events and sends each event, signed, up to five times.

dbt Cloud documents the timeout of ten seconds, the five attempts and the signature. Until June 2026 it also
documented that five failures in a row deactivate a subscription.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from aiohttp import ClientError, ClientSession, ClientTimeout

from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import ACTIVE, RunRecord, Status, WebhookSubscription
from dbtcloud.local.store.database import Store
from dbtcloud.local.store.queries import PageQuery, RunQuery
from dbtcloud.local.webhooks.events import COMPLETED, ERRORED, STARTED, Receipt, WebhookEvent, WebhookLog

_MAX_FAILURES = 5
_POLL_SECONDS = 0.2
_TIMEOUT = ClientTimeout(total=10)
_LOGGED_CHARACTERS = 4_096
_ALL = PageQuery(limit=-1)

log = logging.getLogger(__name__)


class WebhookSender:
    """Notifies subscribers of runs that start and finish.

    Args:
        store: the runs and the subscriptions.
        clock: the clock by which runs start and finish.

    Attributes:
        log: the events and the attempts to send them.
        retry_delays: seconds between one attempt and the next.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._polled_until = clock.now()
        self._sending: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self.log = WebhookLog()
        self.retry_delays = (0.5, 1.0, 2.0, 4.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Poll and send while the context is open."""
        async with ClientSession(timeout=_TIMEOUT) as self._session:
            polling = asyncio.create_task(self._poll_forever(), name="webhooks")
            try:
                yield
            finally:
                polling.cancel()
                self.clear()
                with suppress(asyncio.CancelledError):
                    await polling

    def clear(self) -> None:
        """Drop the events that are still to be sent, and clear the log."""
        for task in self._sending:
            task.cancel()
        self._polled_until = self._clock.now()
        self.log = WebhookLog()

    def test(self, subscription: WebhookSubscription) -> WebhookEvent:
        """Send the end of an invented run to one subscription, and return the event."""
        now = self._clock.now()
        run = RunRecord(0, subscription.account_id, 0, 0, 0, now, started_at=now, finished_at=now, outcome=10)
        return self._emit(subscription, COMPLETED, replace(run, trigger={"cause": "A test of the webhook"}))

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                self._poll()
            except Exception:
                log.exception("Cannot poll the runs for webhooks")

    def _poll(self) -> None:
        # Ranges of a query include both ends: the next poll begins a microsecond later, so that no event is
        # sent twice.
        since, self._polled_until = self._polled_until + 1, self._clock.now()
        active = [each for each in self._subscriptions() if each.active]
        for account_id in {each.account_id for each in active}:
            for event_type, run in self._events(account_id, since, self._polled_until):
                for each in active:
                    if each.account_id == account_id and _wants(each, event_type, run):
                        self._emit(each, event_type, run)

    def _subscriptions(self) -> Iterator[WebhookSubscription]:
        definitions = self._store.definitions
        for id_ in definitions.ids(WebhookSubscription):
            subscription = definitions.get(WebhookSubscription, id_)
            if subscription is not None and subscription.state == ACTIVE:
                yield subscription

    def _events(self, account_id: int, since: int, now: int) -> Iterator[tuple[str, RunRecord]]:
        started = RunQuery(account_id, started=(since, now))
        for run in self._store.runs.find(started, _ALL, now)[0]:
            yield STARTED, run
        finished = RunQuery(account_id, finished=(since, now))
        for run in self._store.runs.find(finished, _ALL, now)[0]:
            if run.outcome == Status.ERROR:
                yield ERRORED, run
            if run.outcome != Status.CANCELLED:
                yield COMPLETED, run

    def _emit(self, subscription: WebhookSubscription, event_type: str, run: RunRecord) -> WebhookEvent:
        event = WebhookEvent.of_run(subscription, event_type, run, self._store, self._clock.now())
        self.log.add_event(event)
        task = asyncio.create_task(self._send(event), name=f"webhook {event.id}")
        # The event loop has only weak references to its tasks.
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return event

    async def _send(self, event: WebhookEvent) -> None:
        for delay in (*self.retry_delays, None):
            # Read again for each attempt: it may have been deleted, deactivated or given another URL.
            subscription = self._store.definitions.get(WebhookSubscription, event.subscription_id)
            if subscription is None or not subscription.active or subscription.state != ACTIVE:
                return
            receipt = await self._attempt(event, subscription)
            event.http_status_code = receipt.http_status_code
            self.log.add_receipt(receipt)
            self._record(subscription.id, receipt)
            if receipt.ok or delay is None:
                return
            await asyncio.sleep(delay)

    async def _attempt(self, event: WebhookEvent, subscription: WebhookSubscription) -> Receipt:
        headers = {
            "Content-Type": "application/json",
            "Authorization": _signature(subscription.secret, event.payload.encode()),
        }
        receipt = Receipt(f"wrc_{secrets.token_hex(13)}", event, self._clock.now(), dict(headers))
        assert self._session is not None
        try:
            async with self._session.post(
                subscription.client_url, data=event.payload, headers=headers, allow_redirects=False
            ) as response:
                text = (await response.content.read(_LOGGED_CHARACTERS)).decode("utf-8", "replace")
                return replace(receipt, http_status_code=response.status, response_body=text)
        except (ClientError, TimeoutError, ValueError, OSError) as error:
            return replace(receipt, error_info=f"{type(error).__name__}: {error}")

    def _record(self, subscription_id: int, receipt: Receipt) -> None:
        """Store the result of an attempt, and deactivate the subscription after too many failures."""
        subscription = self._store.definitions.get(WebhookSubscription, subscription_id)
        if subscription is None:
            return
        failures = 0 if receipt.ok else subscription.failures + 1
        updated = replace(
            subscription,
            failures=failures,
            http_status_code=receipt.http_status_code,
            dispatched_at=receipt.dispatched_at,
        )
        if failures >= _MAX_FAILURES:
            reason = f"Deactivated after {failures} failed deliveries in a row."
            updated = replace(updated, active=False, deactivate_reason=reason)
        self._store.definitions.put(updated)


def _signature(secret: str, body: bytes) -> str:
    """Return the value of `Authorization`: the hexadecimal HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _wants(subscription: WebhookSubscription, event_type: str, run: RunRecord) -> bool:
    of_job = not subscription.job_ids or run.job_id in subscription.job_ids
    return of_job and event_type in subscription.event_types

"""Webhooks: runs are watched for what subscriptions ask for; events are sent, signed, up to five times.

Ten seconds for an answer, five tries and the signature are as dbt Cloud documents them; so was, until June
2026, that five failures in a row deactivate a subscription.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from aiohttp import ClientError, ClientSession, ClientTimeout

from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import ACTIVE, RunRecord, Status, WebhookSubscription
from dbtcloud.local.store.interface import PageQuery, RunQuery, Store
from dbtcloud.local.webhooks.log import Deliveries, Event, Receipt
from dbtcloud.local.webhooks.payloads import COMPLETED, ERRORED, STARTED, payload, run_data

MOST_FAILURES = 5
_LOOK_EVERY_SECONDS = 0.2
_TIMEOUT = ClientTimeout(total=10)
_SHOWN_CHARACTERS = 4_096
_EVERY = PageQuery(limit=-1)

log = logging.getLogger(__name__)


class Webhooks:
    """Tells subscribers of runs that start and end.

    Args:
        store: the runs and the subscriptions.
        clock: the time by which runs start and end.

    Attributes:
        deliveries: what was sent, and what came back.
        waits: seconds between one try and the next.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._seen = clock.now()
        self._sending: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self.deliveries = Deliveries()
        self.waits = (0.5, 1.0, 2.0, 4.0)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch and send as long as the context lasts."""
        async with ClientSession(timeout=_TIMEOUT) as self._session:
            watch = asyncio.create_task(self._watch(), name="webhooks")
            try:
                yield
            finally:
                watch.cancel()
                self.clear()
                with suppress(asyncio.CancelledError):
                    await watch

    def clear(self) -> None:
        """Send nothing more of what has happened, and forget what was sent."""
        for task in self._sending:
            task.cancel()
        self._seen = self._clock.now()
        self.deliveries = Deliveries()

    def test(self, subscription: WebhookSubscription) -> Event:
        """Send a made-up run's end to one subscription, and return the event."""
        now = self._clock.now()
        run = RunRecord(0, subscription.account_id, 0, 0, 0, now, started_at=now, finished_at=now, outcome=10)
        return self._tell(subscription, COMPLETED, replace(run, trigger={"cause": "A test of the webhook"}))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                self._look()
            except Exception:
                log.exception("Webhooks could not be looked after")

    def _look(self) -> None:
        since, self._seen = self._seen + 1, self._clock.now()
        active = [each for each in self._subscriptions() if each.active]
        for account_id in {each.account_id for each in active}:
            for event_type, run in self._happened(account_id, since, self._seen):
                for each in active:
                    if each.account_id == account_id and _wants(each, event_type, run):
                        self._tell(each, event_type, run)

    def _subscriptions(self) -> Iterator[WebhookSubscription]:
        definitions = self._store.definitions
        for id_ in definitions.ids(WebhookSubscription):
            subscription = definitions.get(WebhookSubscription, id_)
            if subscription is not None and subscription.state == ACTIVE:
                yield subscription

    def _happened(self, account_id: int, since: int, now: int) -> Iterator[tuple[str, RunRecord]]:
        started = RunQuery(account_id, started=(since, now))
        for run in self._store.runs.find(started, _EVERY, now)[0]:
            yield STARTED, run
        finished = RunQuery(account_id, finished=(since, now))
        for run in self._store.runs.find(finished, _EVERY, now)[0]:
            if run.outcome == Status.ERROR:
                yield ERRORED, run
            if run.outcome != Status.CANCELLED:
                yield COMPLETED, run

    def _tell(self, subscription: WebhookSubscription, event_type: str, run: RunRecord) -> Event:
        event_id = f"wev_{secrets.token_hex(13)}"
        data = run_data(self._store, run, event_type)
        body = payload(subscription, event_id, event_type, self._clock.now(), data)
        event = Event(
            id=event_id,
            subscription_id=subscription.id,
            account_id=subscription.account_id,
            job_id=run.job_id,
            trigger_event_type=event_type,
            payload=json.dumps(body),
        )
        self.deliveries.add(event)
        task = asyncio.create_task(self._send(event), name=f"webhook {event_id}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return event

    async def _send(self, event: Event) -> None:
        for wait in (*self.waits, None):
            subscription = self._store.definitions.get(WebhookSubscription, event.subscription_id)
            if subscription is None or not subscription.active or subscription.state != ACTIVE:
                return
            receipt = await self._try(event, subscription)
            event.http_status_code = receipt.http_status_code
            self.deliveries.receive(receipt)
            self._note(subscription.id, receipt)
            if receipt.ok or wait is None:
                return
            await asyncio.sleep(wait)

    async def _try(self, event: Event, subscription: WebhookSubscription) -> Receipt:
        headers = {
            "Content-Type": "application/json",
            "Authorization": signature(subscription.secret, event.payload.encode()),
        }
        receipt = Receipt(f"wrc_{secrets.token_hex(13)}", event, self._clock.now(), dict(headers))
        assert self._session is not None
        try:
            async with self._session.post(
                subscription.client_url, data=event.payload, headers=headers, allow_redirects=False
            ) as response:
                text = (await response.content.read(_SHOWN_CHARACTERS)).decode("utf-8", "replace")
                return replace(receipt, http_status_code=response.status, response_body=text)
        except (ClientError, TimeoutError, ValueError, OSError) as error:
            return replace(receipt, error_info=f"{type(error).__name__}: {error}")

    def _note(self, subscription_id: int, receipt: Receipt) -> None:
        subscription = self._store.definitions.get(WebhookSubscription, subscription_id)
        if subscription is None:
            return
        failures = 0 if receipt.ok else subscription.failures + 1
        noted = replace(
            subscription,
            failures=failures,
            http_status_code=receipt.http_status_code,
            dispatched_at=receipt.dispatched_at,
        )
        if failures >= MOST_FAILURES:
            reason = f"Deactivated after {failures} failed deliveries in a row."
            noted = replace(noted, active=False, deactivate_reason=reason)
        self._store.definitions.put(noted)


def signature(secret: str, body: bytes) -> str:
    """Return what `Authorization` carries: the hexadecimal HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _wants(subscription: WebhookSubscription, event_type: str, run: RunRecord) -> bool:
    of_job = not subscription.job_ids or run.job_id in subscription.job_ids
    return of_job and event_type in subscription.event_types

"""Webhook subscriptions, and what was sent to them."""

import secrets
from dataclasses import replace
from typing import Any

from aiohttp import web
from yarl import URL

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.query import PAGING, parse
from dbtcloud.local.api.responses.envelope import terse
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import invalid, missing
from dbtcloud.local.model.field_types import Fields, check, check_object
from dbtcloud.local.model.records import ACTIVE, DELETED, WebhookSubscription
from dbtcloud.local.store.interface import DefinitionQuery, PageQuery
from dbtcloud.local.webhooks.log import Event
from dbtcloud.local.webhooks.payloads import EVENT_TYPES, internal_id, subscription_shape

_FIELDS: Fields = {
    "name": "string",
    "description": "string",
    "event_types": "array of string",
    "job_ids": "array of integer",
    "client_url": "string",
    "active": "boolean",
}
_PAGE = 10


async def list_subscriptions(request: web.Request) -> web.Response:
    """Answer with a page of subscriptions, of ten unless `limit` says otherwise."""
    account, values = account_of(request), parse(request, PAGING).values
    page = PageQuery(values.get("limit", _PAGE), values.get("offset", 0))
    query = DefinitionQuery(account.id, [("state", [ACTIVE])])
    found, total = cloud_of(request).store.definitions.find(WebhookSubscription, query, page)
    return terse([subscription_shape(each) for each in found], extra=_extra(page, len(found), total))


async def create_subscription(request: web.Request) -> web.Response:
    """Create a subscription and answer with it, its secret, and 201."""
    parse(request, PAGING)
    account, cloud = account_of(request), cloud_of(request)
    body = await _body(request)
    subscription = WebhookSubscription(
        id=cloud.store.definitions.next_id(WebhookSubscription),
        account_id=account.id,
        secret=secrets.token_hex(24),
        created_at=cloud.clock.now(),
        **body,
    )
    cloud.store.definitions.put(subscription)
    return terse(subscription_shape(subscription, secret=True), 201)


async def get_subscription(request: web.Request) -> web.Response:
    """Answer with one subscription."""
    parse(request, {})
    return terse(subscription_shape(_subscription(request)))


async def update_subscription(request: web.Request) -> web.Response:
    """Replace what a subscription asks for; activating it forgets its failures."""
    cloud, subscription = cloud_of(request), _subscription(request)
    body = await _body(request)
    changed = replace(subscription, **body, updated_at=cloud.clock.now())
    if changed.active:
        changed = replace(changed, failures=0, deactivate_reason=None)
    cloud.store.definitions.put(changed)
    return terse(subscription_shape(changed))


async def delete_subscription(request: web.Request) -> web.Response:
    """Delete a subscription: nothing more is sent to it."""
    subscription = _subscription(request)
    cloud_of(request).store.definitions.put(replace(subscription, state=DELETED, active=False))
    return terse({"id": subscription_shape(subscription)["id"]}, status={"is_success": True})


async def test_subscription(request: web.Request) -> web.Response:
    """Send a made-up event to a subscription."""
    parse(request, {})
    return terse({"event_id": cloud_of(request).webhooks.test(_subscription(request)).id})


async def list_events(request: web.Request) -> web.Response:
    """Answer with what was to be sent to a subscription, the newest first."""
    parse(request, {})
    events = list(cloud_of(request).webhooks.deliveries.events_of(_subscription(request).id))
    page = PageQuery(len(events) or _PAGE)
    return terse([each.shape() for each in events], extra=_extra(page, len(events), len(events)))


async def list_receipts(request: web.Request) -> web.Response:
    """Answer with the tries to send an event."""
    parse(request, {})
    event = _event_of(request)
    if "subscription_id" in request.match_info and _other(request, event.subscription_id):
        raise missing()
    return terse([each.shape() for each in cloud_of(request).webhooks.deliveries.receipts_of(event.id)])


async def get_event(request: web.Request) -> web.Response:
    """Answer with one event."""
    parse(request, {})
    return terse(_event_of(request).shape())


async def get_receipt(request: web.Request) -> web.Response:
    """Answer with one try."""
    parse(request, {})
    deliveries = cloud_of(request).webhooks.deliveries
    receipt = deliveries.receipt(account_of(request).id, request.match_info["receipt_id"])
    if receipt is None:
        raise missing()
    return terse(receipt.shape())


def _event_of(request: web.Request) -> Event:
    """Return the event that the path names; 404 where the account has none of that id."""
    event = cloud_of(request).webhooks.deliveries.event(
        account_of(request).id, request.match_info["event_id"]
    )
    if event is None:
        raise missing()
    return event


async def _body(request: web.Request) -> dict[str, Any]:
    body = check_object(await read_body(request, _FIELDS))
    check(body, _FIELDS, ("name", "event_types", "client_url", "active"))
    unknown = [each for each in body["event_types"] if each not in EVENT_TYPES]
    if unknown or not body["event_types"]:
        raise invalid({"event_types": f"{body['event_types']!r}: one or more of {list(EVENT_TYPES)!r}"})
    if not _is_address(body["client_url"]):
        raise invalid({"client_url": f"{body['client_url']!r} is no http or https address"})
    given = {name: body[name] for name in _FIELDS if body.get(name) is not None}
    return {**given, **{name: tuple(given.get(name, ())) for name in ("event_types", "job_ids")}}


def _is_address(text: str) -> bool:
    try:
        address = URL(text)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.host)


def _subscription(request: web.Request) -> WebhookSubscription:
    account, id_ = account_of(request), internal_id(request.match_info["subscription_id"])
    found = cloud_of(request).store.definitions.get(WebhookSubscription, id_) if id_ else None
    if found is None or found.account_id != account.id or found.state == DELETED:
        raise missing()
    return found


def _other(request: web.Request, subscription_id: int) -> bool:
    return _subscription(request).id != subscription_id


def _extra(page: PageQuery, count: int, total: int) -> dict[str, Any]:
    return {
        "pagination": {"total_count": total, "count": count},
        "filters": {"offset": page.offset, "limit": page.limit},
    }


_WEBHOOKS = "/api/v3/accounts/{account_id}/webhooks/"
_ONE = f"{_WEBHOOKS}subscription/{{subscription_id}}"
_READ, _WRITE = ("webhooks", "read"), ("webhooks", "write")
_SENT = (
    "Tries are 0.5 to 4 seconds apart. Five failed ones in a row deactivate the subscription, as in dbt "
    "Cloud until June 2026 (1,000, or seven days, since). Cancelled runs send nothing."
)
_LOG = "The last thousand are kept, until the server ends; their subscription may be gone."

ROUTES = (
    Route("GET", f"{_WEBHOOKS}subscriptions", list_subscriptions, _READ),
    Route("POST", f"{_WEBHOOKS}subscriptions", create_subscription, _WRITE, _SENT),
    Route("GET", _ONE, get_subscription, _READ),
    Route("PUT", _ONE, update_subscription, _WRITE, _SENT),
    Route("DELETE", _ONE, delete_subscription, _WRITE),
    Route("GET", f"{_ONE}/test", test_subscription, _WRITE, "Sends the end of a run that never was."),
    Route("GET", f"{_ONE}/events", list_events, _READ, f"All at once. {_LOG}"),
    Route("GET", f"{_ONE}/event/{{event_id}}/receipt", list_receipts, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}event/{{event_id}}", get_event, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}event/{{event_id}}/receipts", list_receipts, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}receipt/{{receipt_id}}", get_receipt, _READ, _LOG),
)

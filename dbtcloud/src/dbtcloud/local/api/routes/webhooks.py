"""Webhook subscriptions, their events and receipts."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from dbtcloud.local.api.requests.query import PAGING
from dbtcloud.local.api.responses.envelope import json_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import ACTIVE, DELETED, WebhookSubscription
from dbtcloud.local.model.request_body import BodySchema, RequestBody
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery
from dbtcloud.local.webhooks.events import (
    WebhookEvent,
    invalid_subscription_fields,
    parse_subscription_id,
    subscription_json,
)

_FIELDS: BodySchema = {
    "name": "string",
    "description": "string",
    "event_types": "array of string",
    "job_ids": "array of integer",
    "client_url": "string",
    "active": "boolean",
}
_DEFAULT_LIMIT = 10


async def _list_subscriptions(call: ApiCall) -> web.Response:
    """Return a page of subscriptions, ten by default."""
    account, values = call.account(), call.query(PAGING).values
    page = PageQuery(values.get("limit", _DEFAULT_LIMIT), values.get("offset", 0))
    query = DefinitionQuery(account.id, [("state", [ACTIVE])])
    subscriptions, total = call.cloud.store.definitions.find(WebhookSubscription, query, page)
    return _response(
        [subscription_json(each) for each in subscriptions], extra=_extra(page, len(subscriptions), total)
    )


async def _create_subscription(call: ApiCall) -> web.Response:
    """Create a subscription and return it with its secret and 201."""
    call.query(PAGING)
    account, cloud = call.account(), call.cloud
    body = await _body(call)
    subscription = WebhookSubscription(
        id=cloud.store.definitions.next_id(WebhookSubscription),
        account_id=account.id,
        secret=secrets.token_hex(24),
        created_at=cloud.clock.now(),
        **body,
    )
    cloud.store.definitions.put(subscription)
    return _response(subscription_json(subscription, secret=True), 201)


async def _get_subscription(call: ApiCall) -> web.Response:
    """Return one subscription."""
    call.query({})
    return _response(subscription_json(_subscription(call)))


async def _update_subscription(call: ApiCall) -> web.Response:
    """Update a subscription. Activating it resets its failures."""
    cloud, subscription = call.cloud, _subscription(call)
    body = await _body(call)
    changed = replace(subscription, **body, updated_at=cloud.clock.now())
    if changed.active:
        changed = replace(changed, failures=0, deactivate_reason=None)
    cloud.store.definitions.put(changed)
    return _response(subscription_json(changed))


async def _delete_subscription(call: ApiCall) -> web.Response:
    """Delete a subscription. No more events are sent to it."""
    subscription = _subscription(call)
    call.cloud.store.definitions.put(replace(subscription, state=DELETED, active=False))
    return _response({"id": subscription_json(subscription)["id"]}, status={"is_success": True})


async def _test_subscription(call: ApiCall) -> web.Response:
    """Send an invented event to a subscription."""
    call.query({})
    return _response({"event_id": call.cloud.webhooks.test(_subscription(call)).id})


async def _list_events(call: ApiCall) -> web.Response:
    """Return the events of a subscription, the newest first."""
    call.query({})
    # All of them on one page: the log has a thousand events at most.
    events = list(call.cloud.webhooks.log.events_of(_subscription(call).id))
    page = PageQuery(len(events) or _DEFAULT_LIMIT)
    return _response([each.as_json() for each in events], extra=_extra(page, len(events), len(events)))


async def _list_receipts(call: ApiCall) -> web.Response:
    """Return the attempts to send an event."""
    call.query({})
    event = _event_of(call)
    if "subscription_id" in call.request.match_info and _subscription(call).id != event.subscription_id:
        raise ApiException.not_found()
    return _response([each.as_json() for each in call.cloud.webhooks.log.receipts_of(event.id)])


async def _get_event(call: ApiCall) -> web.Response:
    """Return one event."""
    call.query({})
    return _response(_event_of(call).as_json())


async def _get_receipt(call: ApiCall) -> web.Response:
    """Return one attempt to send an event."""
    call.query({})
    log = call.cloud.webhooks.log
    receipt = log.receipt(call.account().id, call.request.match_info["receipt_id"])
    if receipt is None:
        raise ApiException.not_found()
    return _response(receipt.as_json())


def _event_of(call: ApiCall) -> WebhookEvent:
    """Return the event that the path names, or raise 404."""
    event = call.cloud.webhooks.log.event(call.account().id, call.request.match_info["event_id"])
    if event is None:
        raise ApiException.not_found()
    return event


async def _body(call: ApiCall) -> dict[str, Any]:
    body = RequestBody.as_object(await call.body(_FIELDS))
    RequestBody.check(body, _FIELDS, ("name", "event_types", "client_url", "active"))
    if invalid := invalid_subscription_fields(body["event_types"], body["client_url"]):
        raise ApiException.bad_request(invalid)
    given = {name: body[name] for name in _FIELDS if body.get(name) is not None}
    return {**given, **{name: tuple(given.get(name, ())) for name in ("event_types", "job_ids")}}


def _subscription(call: ApiCall) -> WebhookSubscription:
    account, id_ = call.account(), parse_subscription_id(call.request.match_info["subscription_id"])
    subscription = call.cloud.store.definitions.get(WebhookSubscription, id_) if id_ else None
    if subscription is None or subscription.account_id != account.id or subscription.state == DELETED:
        raise ApiException.not_found()
    return subscription


def _extra(page: PageQuery, count: int, total: int) -> dict[str, Any]:
    return {
        "pagination": {"total_count": total, "count": count},
        "filters": {"offset": page.offset, "limit": page.limit},
    }


def _response(
    data: Any, code: int = 200, *, extra: Mapping[str, Any] = {}, status: Mapping[str, Any] = {}
) -> web.Response:
    """Return a response of the webhook endpoints, which have another envelope.

    Its status has a code and what `status` adds.
    """
    body = {"data": data, "status": {"code": code, **status}, **({"extra": extra} if extra else {})}
    return json_response(body, code)


_WEBHOOKS = "/api/v3/accounts/{account_id}/webhooks/"
_SUBSCRIPTION = f"{_WEBHOOKS}subscription/{{subscription_id}}"
_READ, _WRITE = ("webhooks", "read"), ("webhooks", "write")
_SENT = (
    "Attempts are 0.5 to 4 seconds apart. Five failures in a row deactivate the subscription, as in dbt "
    "Cloud until June 2026 (since then 1,000 failures, or seven days). Cancelled runs send nothing."
)
_LOG = "The server keeps the last thousand until it stops, also of deleted subscriptions."

ROUTES = (
    Route("GET", f"{_WEBHOOKS}subscriptions", _list_subscriptions, _READ),
    Route("POST", f"{_WEBHOOKS}subscriptions", _create_subscription, _WRITE, _SENT),
    Route("GET", _SUBSCRIPTION, _get_subscription, _READ),
    Route("PUT", _SUBSCRIPTION, _update_subscription, _WRITE, _SENT),
    Route("DELETE", _SUBSCRIPTION, _delete_subscription, _WRITE),
    Route("GET", f"{_SUBSCRIPTION}/test", _test_subscription, _WRITE, "Sends the end of an invented run."),
    Route("GET", f"{_SUBSCRIPTION}/events", _list_events, _READ, f"Not paged. {_LOG}"),
    Route("GET", f"{_SUBSCRIPTION}/event/{{event_id}}/receipt", _list_receipts, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}event/{{event_id}}", _get_event, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}event/{{event_id}}/receipts", _list_receipts, _READ, _LOG),
    Route("GET", f"{_WEBHOOKS}receipt/{{receipt_id}}", _get_receipt, _READ, _LOG),
)

"""Webhook subscriptions: found, created with a secret, changed, tested and deleted."""

import json
import threading
from datetime import UTC, datetime

import pytest

from dbtcloud.errors import BadRequest, InvalidArgument, MalformedResponse, NotFound
from dbtcloud.webhooks import verify
from wires.raw import answer, envelope

LIST, ONE = "/api/v3/accounts/1/webhooks/subscriptions", "/api/v3/accounts/1/webhooks/subscription/wsu_12345"
URL = "http://127.0.0.1:1/hook"
WHOLE = {
    "id": "wsu_12345",
    "account_identifier": "act_12345abcde",
    "name": "Webhook for jobs",
    "description": "",
    "job_ids": ["123", "321"],
    "event_types": ["job.run.started"],
    "client_url": "https://test.com",
    "hmac_secret": "12345abcde",
    "active": True,
    "created_at": "1675795644808877",
    "updated_at": "1675795644808877",
    "account_id": "123",
    "http_status_code": "0",
    "a_later_field": 1,
}


def test_a_subscription_from_its_creation_to_its_end(face, dbt_cloud):
    created = face.ask(
        dbt_cloud,
        lambda client: client.webhooks.create(
            "Done", URL, ["job.run.completed"], job_ids=["5"], description="x"
        ),
    )
    assert created.hmac_secret
    found = face.ask(dbt_cloud, lambda client: client.webhooks.get(created.id))
    assert (found.name, found.client_url, found.job_ids, found.active) == ("Done", URL, [5], True)
    assert (found.event_types, found.hmac_secret) == (["job.run.completed"], None)
    changed = face.ask(dbt_cloud, lambda client: client.webhooks.update(created.id, active=False))
    assert (changed.active, changed.job_ids, changed.description) == (False, [5], "x")
    assert [each.id for each in face.ask(dbt_cloud, lambda client: client.webhooks.list())] == [created.id]
    assert face.ask(dbt_cloud, lambda client: client.webhooks.delete(created.id)) is None
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.webhooks.get(created.id))


def test_a_test_event_can_be_verified(face, dbt_cloud, raw_server):
    arrived = threading.Event()

    def take(_):
        arrived.set()
        return answer(b"", 204)

    raw_server.reply = take
    created = face.ask(
        dbt_cloud, lambda client: client.webhooks.create("Done", raw_server.url, "job.run.completed")
    )
    event_id = face.ask(dbt_cloud, lambda client: client.webhooks.test(created.id))
    assert arrived.wait(10)
    (sent,) = raw_server.received
    event = verify(sent.body, sent.headers, created.hmac_secret)
    assert (event.id, event.webhook_id, event.status) == (event_id, created.id, 10)


def test_the_secret_is_only_shown_where_it_is_asked_for(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE), 201)
    created = face.ask(raw_server, lambda client: client.webhooks.create("x", URL, ["job.run.started"]))
    assert created.hmac_secret == "12345abcde"
    assert created.created_at == datetime(2023, 2, 7, 18, 47, 24, 808877, tzinfo=UTC)
    assert "12345abcde" not in f"{created!r} {created}"
    assert created.to_dict() == {name: value for name, value in WHOLE.items() if name != "hmac_secret"}


def test_paths_of_webhooks_have_no_slash_at_the_end(face, raw_server):
    raw_server.reply = answer(envelope({**WHOLE, "event_id": "wev_1"}))
    for call in ("get", "test", "delete"):
        face.ask(raw_server, lambda client, call=call: getattr(client.webhooks, call)("wsu_12345"))
    sent = [(each.method, each.target) for each in raw_server.received]
    assert sent == [("GET", ONE), ("GET", f"{ONE}/test"), ("DELETE", ONE)]


def test_an_update_sends_all_that_can_be_written(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE))
    face.ask(raw_server, lambda client: client.webhooks.update("wsu_12345", name="New", undocumented=2))
    read, written = raw_server.received
    assert (read.method, read.target) == ("GET", ONE)
    assert (written.method, written.target) == ("PUT", ONE)
    assert json.loads(written.body) == {
        "name": "New",
        "job_ids": [123, 321],  # which come as texts, and are taken as numbers
        "event_types": ["job.run.started"],
        "client_url": "https://test.com",
        "active": True,
        "a_later_field": 1,
        "undocumented": 2,
    }


def test_a_list_of_several_pages(face, raw_server):
    rows = [{**WHOLE, "id": f"wsu_{number:05}"} for number in range(230)]

    def page(request):
        query = dict(part.split("=") for part in request.target.split("?")[1].split("&"))
        start, limit = int(query["offset"]), int(query["limit"])
        return answer(envelope(rows[start : start + limit], total=len(rows)))

    raw_server.reply = page
    found = face.ask(raw_server, lambda client: client.webhooks.list())
    assert [webhook.id for webhook in found] == [row["id"] for row in rows]
    assert {each.target.split("?")[0] for each in raw_server.received} == {LIST}


@pytest.mark.parametrize("id_", [5, None, "", "wsu_1/../2", "a b", "?", "ä", "x" * 200])
def test_what_is_no_id_is_not_sent(face, raw_server, id_):
    with pytest.raises(InvalidArgument, match="not a valid webhook id"):
        face.ask(raw_server, lambda client: client.webhooks.get(id_))
    assert raw_server.received == []


@pytest.mark.parametrize("id_", [None, 5])
def test_a_row_without_an_id_is_an_error(face, raw_server, id_):
    raw_server.reply = answer(envelope([{**WHOLE, "id": id_}], total=1))
    with pytest.raises(MalformedResponse):
        face.ask(raw_server, lambda client: client.webhooks.list())


def test_bad_input_has_one_clear_message(face, dbt_cloud):
    with pytest.raises(BadRequest, match="event_types"):
        face.ask(dbt_cloud, lambda client: client.webhooks.create("x", URL, ["job.run.paused"]))
    with pytest.raises(InvalidArgument, match="'nightly' is not a valid job id"):
        face.ask(
            dbt_cloud,
            lambda client: client.webhooks.create("x", URL, "job.run.started", job_ids=["nightly"]),
        )

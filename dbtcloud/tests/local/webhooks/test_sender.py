"""Webhooks: which events are sent to whom, their signature, and subscribers that do not answer."""

import hashlib
import hmac
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dbtcloud.local.model.run_plan import Outcome
from dbtcloud.local.server.in_thread import LocalDbtCloud

WEBHOOKS = "/api/v3/accounts/1/webhooks/"
TYPES = ["job.run.started", "job.run.completed", "job.run.errored"]


class Listener:
    """Takes what webhooks send, and answers with the codes that it is given, the last one for ever."""

    def __init__(self, *codes):
        self.codes, self.received = list(codes) or [200], []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = listener.codes.pop(0) if len(listener.codes) > 1 else listener.codes[0]
                self.send_response(code)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"heard")
                listener.received.append((dict(self.headers), body))

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        # The default of half a second is what each shutdown would wait.
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def events(self):
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def listen():
    listeners = []

    def make(*codes):
        listeners.append(Listener(*codes))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.server.shutdown()
        listener.server.server_close()


def subscribe(api, url, **fields):
    body = {"name": "Kitchen bell", "client_url": url, "event_types": TYPES, "active": True, **fields}
    answer = api.ask(f"{WEBHOOKS}subscriptions", "POST", json=body)
    assert answer.status_code == answer.json()["status"]["code"] == 201, answer.text
    return answer.json()["data"]


def quickly(api):
    """Let tries follow one another without a pause."""
    api.control._control._cloud.webhooks.retry_delays = (0.0,) * 4


def test_the_start_and_the_end_of_a_run_are_sent(api, listen, eventually):
    listener = listen()
    made = subscribe(api, listener.url)
    job = api.job({"queued": 5, "running": 60}, name="Bread")
    run = api.start(job, cause="By hand")["id"]
    api.control.advance(6)
    eventually(lambda: len(listener.received) == 1)
    api.control.advance(60)
    eventually(lambda: len(listener.received) == 2)
    started, completed = listener.events
    shared = {
        "jobId": str(job), "jobName": "Bread", "runId": str(run), "environmentId": "1",
        "environmentName": "Production", "dbtVersion": "latest", "projectName": "Sample bakery",
        "projectId": "1", "runStatusMessage": "None", "runReason": "By hand",
        "runStartedAt": started["data"]["runStartedAt"],
    }  # fmt: skip
    assert (started["eventType"], completed["eventType"]) == ("job.run.started", "job.run.completed")
    assert started["data"] == {**shared, "runStatus": "Running", "runStatusCode": 3}
    ended = completed["data"].pop("runFinishedAt")
    assert completed["data"] == {**shared, "runStatus": "Success", "runStatusCode": 10}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ended)
    assert (started["accountId"], started["webhookId"], started["webhookName"]) == (
        1,
        made["id"],
        "Kitchen bell",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", started["timestamp"])


def test_each_event_is_signed_with_the_secret_that_is_shown_once(api, listen, eventually):
    listener = listen()
    made = subscribe(api, listener.url)
    api.start(api.job({"outcome": 10}))
    eventually(lambda: len(listener.received) == 2)
    for headers, body in listener.received:
        assert (
            headers["Authorization"]
            == hmac.new(made["hmac_secret"].encode(), body, hashlib.sha256).hexdigest()
        )
    assert made["hmac_secret"] not in api.ask(f"{WEBHOOKS}subscriptions").text


def test_a_failed_run_errs_and_completes_and_a_cancelled_one_does_neither(api, listen, eventually):
    listener = listen()
    subscribe(api, listener.url, event_types=["job.run.completed", "job.run.errored"])
    api.ask(f"runs/{api.start(api.job())['id']}/cancel/", "POST")
    api.start(api.job({"outcome": 20, "message": "It broke."}))
    eventually(lambda: len(listener.received) == 2)
    told = {event["eventType"]: event["data"] for event in listener.events}
    assert sorted(told) == ["job.run.completed", "job.run.errored"]
    errored = told["job.run.errored"]
    assert (errored["runStatus"], errored["runStatusCode"], errored["runStatusMessage"]) == (
        "Errored",
        20,
        "It broke.",
    )
    assert "runErroredAt" in errored
    assert "runFinishedAt" not in errored


def test_only_events_of_the_subscribed_jobs_are_sent(api, listen, eventually):
    listener = listen()
    mine, other = api.job({"outcome": 10}), api.job({"outcome": 10})
    subscribe(api, listener.url, job_ids=[mine], event_types=["job.run.completed"])
    api.start(other), api.start(mine)
    eventually(lambda: listener.received)
    assert [event["data"]["jobId"] for event in listener.events] == [str(mine)]


def test_events_of_a_real_run_are_sent(client_of, listen, eventually):
    async def run(plan, observer, cancelled):
        observer.starting(), observer.running()
        return Outcome(10, None)

    listener = listen()
    with LocalDbtCloud(execute=run) as server:
        client = client_of(server)
        subscribe(client, listener.url)
        client.start(1)
        eventually(lambda: len(listener.received) == 2)


def test_an_event_is_tried_again_until_it_is_taken(api, listen, eventually):
    quickly(api)
    listener = listen(500, 503, 200)
    made = subscribe(api, listener.url, event_types=["job.run.completed"])
    api.start(api.job({"outcome": 10}))
    eventually(lambda: len(listener.received) == 3)
    assert len({event["eventId"] for event in listener.events}) == 1
    (event,) = api.get(f"{WEBHOOKS}subscription/{made['id']}/events")
    receipts = f"{WEBHOOKS}subscription/{made['id']}/event/{event['id']}/receipt"
    eventually(lambda: len(api.get(receipts)) == 3)
    assert [receipt["http_status_code"] for receipt in api.get(receipts)] == ["500", "503", "200"]
    assert api.get(f"{WEBHOOKS}subscription/{made['id']}")["active"] is True


def test_five_failures_in_a_row_deactivate_and_nothing_more_is_sent(api, listen, eventually):
    quickly(api)
    listener = listen(404)
    made = subscribe(api, listener.url, event_types=["job.run.completed"])
    place = f"{WEBHOOKS}subscription/{made['id']}"
    api.start(api.job({"outcome": 10}))
    eventually(lambda: not api.get(place)["active"])
    shown = api.get(place)
    assert (len(listener.received), shown["http_status_code"]) == (5, "404")
    assert "5 failed deliveries" in shown["deactivate_reason"]

    listener.codes = [200]
    body = {"name": "Again", "client_url": listener.url, "event_types": TYPES[1:2], "active": True}
    again = api.ask(place, "PUT", json=body).json()["data"]
    assert (again["active"], again["name"], "deactivate_reason" in again) == (True, "Again", False)
    api.start(api.job({"outcome": 10}))
    eventually(lambda: len(listener.received) == 6)


def test_the_receipt_of_an_unreachable_subscriber_has_the_reason(api, listen, eventually):
    quickly(api)
    listener = listen()
    listener.server.shutdown()
    listener.server.server_close()
    made = subscribe(api, listener.url)
    event = api.get(f"{WEBHOOKS}subscription/{made['id']}/test")["event_id"]
    eventually(lambda: len(api.get(f"{WEBHOOKS}event/{event}/receipts")) == 5)
    receipt = api.get(f"{WEBHOOKS}event/{event}/receipts")[0]
    assert receipt["error_info"].startswith("ClientConnectorError")
    assert api.get(f"{WEBHOOKS}receipt/{receipt['id']}") == receipt
    assert api.get(f"{WEBHOOKS}event/{event}")["trigger_event_type"] == "job.run.completed"


def test_a_subscription_lives(api):
    made = subscribe(api, "https://bell.example/hook", job_ids=[1, 2], description="Rings.")
    assert made["job_ids"] == ["1", "2"]
    assert made["created_at"].isdigit()
    place = f"{WEBHOOKS}subscription/{made['id']}"
    listed = api.ask(f"{WEBHOOKS}subscriptions").json()
    assert listed["data"] == [api.get(place)]
    assert listed["extra"] == {
        "pagination": {"total_count": 1, "count": 1},
        "filters": {"offset": 0, "limit": 10},
    }
    gone = api.ask(place, "DELETE").json()
    assert gone == {"data": {"id": made["id"]}, "status": {"code": 200, "is_success": True}}
    assert api.ask(place).status_code == 404
    assert api.get(f"{WEBHOOKS}subscriptions") == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"event_types": []}, "event_types"),
        ({"event_types": ["job.run.cancelled"]}, "event_types"),
        ({"client_url": "ftp://bell.example"}, "client_url"),
        ({"client_url": "bell"}, "client_url"),
        ({"client_url": "http://[bell"}, "client_url"),
        ({"job_ids": ["all"]}, "job_ids"),
        ({"active": None}, "active"),
        ({"name": 1}, "name"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_by_field(api, fields, field):
    body = {"name": "x", "client_url": "http://x.example", "event_types": TYPES, "active": True, **fields}
    answer = api.ask(f"{WEBHOOKS}subscriptions", "POST", json=body)
    assert (answer.status_code, list(answer.json()["data"])) == (400, [field])


@pytest.mark.parametrize("id_", ["wsu_1", "1", "wsu_" + "9" * 18, "wsu_²" + "0" * 17])
def test_what_is_no_subscription_is_404(api, id_):
    assert api.ask(f"{WEBHOOKS}subscription/{id_}").status_code == 404

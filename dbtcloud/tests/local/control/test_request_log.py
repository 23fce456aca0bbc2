"""The request log: which requests came over the wire."""

import json
from urllib.parse import quote

import pytest
import requests

WEBHOOKS = "/api/v3/accounts/1/webhooks/subscriptions"
VARIABLES = "/api/v3/accounts/1/projects/1/environment-variables/"


def test_it_keeps_the_target_as_it_came(api):
    target = "/api/v2/accounts/1/runs/?status__in=%5B10%2C20%5D&order_by=-id"
    api.ask(target)
    (entry,) = api.control.requests()
    assert (entry["method"], entry["target"], entry["status"]) == ("GET", target, 200)


def test_it_keeps_bodies_and_headers_but_no_token(api):
    api.ask("jobs/1/run/", "POST", json={"cause": ""}, headers={"X-Mark": "here", "Cookie": "secret=1"})
    (entry,) = api.control.requests()
    assert entry["body"] == '{"cause": ""}'
    assert entry["headers"]["X-Mark"] == "here"
    assert not {"authorization", "cookie"} & {name.lower() for name in entry["headers"]}
    assert api.server.token not in str(entry)


def test_it_keeps_no_body_of_a_stranger(api):
    api.session.headers["Authorization"] = "Token wrong"
    api.ask("jobs/1/run/", "POST", json={"cause": "x" * 1_000})
    (entry,) = api.control.requests()
    assert (entry["status"], entry["body"]) == (401, "")


def test_a_token_in_another_encoding_than_utf_8_is_wrong_and_logged(api):
    api.session.headers["Authorization"] = b"Token \xff"
    assert api.ask("jobs/").status_code == 401
    (entry,) = api.control.requests()
    assert entry["status"] == 401


def test_it_numbers_the_connections(api):
    url, headers = f"{api.server.url}/api/v2/accounts/1/", {"Authorization": f"Token {api.server.token}"}
    with requests.Session() as kept:
        for _ in range(3):
            kept.get(url, headers=headers, timeout=5)
    for _ in range(2):
        requests.get(url, headers=headers, timeout=5)
    numbers = [entry["connection"] for entry in api.control.requests()]
    assert len(set(numbers[:3])) == 1
    assert len(set(numbers)) == api.control.counters()["connections"] == 3


def test_it_counts_answers_and_runs(api):
    job = api.job()
    api.start(job), api.start(job), api.ask("jobs/999/")
    assert api.control.counters() == {
        "requests": 3,
        "connections": 1,
        "answers": {"200": 2, "404": 1},
        "runs_created": 2,
    }


def test_it_leaves_the_control_plane_out_and_can_be_emptied(api):
    api.ask("/_local/health")
    api.ask("jobs/")
    assert len(api.ask("/_local/requests").json()["requests"]) == 1
    api.ask("/_local/requests", "DELETE")
    assert api.ask("/_local/requests/").json() == {"requests": [], "counters": api.control.counters()}
    assert api.ask("/_local/counters").json()["requests"] == 0


def test_the_token_of_a_request_is_in_no_part_of_its_entry(api):
    token = api.control.add_token("owner", token="hush/+=hush")
    headers = {"Authorization": f"Token {token}", "X-Token": token}
    api.ask("", params={"token": token}, headers=headers)
    api.ask(f"jobs/{quote(token, safe='')}/run/", "POST", json={"cause": token}, headers=headers)
    logged = api.control.requests()
    assert len(logged) == 2
    assert "hush" not in json.dumps(logged)
    assert "**********" in logged[1]["target"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (VARIABLES, {"json": {"name": "DBT_ENV_SECRET_KEY", "type": "project", "raw_value": "hush"}}),
        (f"{VARIABLES}bulk", {"json": {"env_var": [{"new_name": "DBT_ENV_SECRET_KEY", "project": "hush"}]}}),
        (VARIABLES, {"data": {"name": "DBT_ENV_SECRET_KEY", "type": "project", "raw_value": "hush"}}),
        (VARIABLES, {"data": '{"name": "DBT_ENV_SECRET_KEY", "raw_value": "hush"'}),
        (WEBHOOKS, {"json": {"client_url": "http://127.0.0.1/hush"}}),
        (f"{WEBHOOKS}/", {"json": {"client_url": "hush.example.com"}}),
        (WEBHOOKS, {"data": {"client_url": "http://127.0.0.1/hush"}}),
        (WEBHOOKS.replace("ubs", "%75bs"), {"json": [{"other": "http://127.0.0.1/hush"}]}),
        ("jobs/1/run/", {"json": {"cause": "see http://me:hush@127.0.0.1/"}}),
    ],
    ids=["variable", "bulk", "form", "no JSON", "hook", "no address", "hook form", "other hook", "password"],
)
def test_it_keeps_no_secret_of_a_body(api, path, body):
    sent = api.ask(path, "POST", **body).request.body
    assert "hush" in str(sent)
    assert "hush" not in api.ask("/_local/requests").text


def test_it_shows_the_rest_of_a_webhook(api):
    body = {"name": "Mine", "client_url": "http://127.0.0.1/hush", "event_types": ["job.run.completed"]}
    api.ask(WEBHOOKS, "POST", json=body)
    (entry,) = api.control.requests()
    assert json.loads(entry["body"]) == body | {"client_url": "**********"}


def test_it_keeps_what_only_resembles_a_url_with_a_password(api):
    body = '{"cause":"see http://127.0.0.1","git_branch":"me@home"}'
    api.ask("jobs/1/run/", "POST", data=body)
    (entry,) = api.control.requests()
    assert entry["body"] == body


def test_it_shows_the_name_of_the_requested_variable(api):
    api.ask(VARIABLES, "POST", json={"name": "DBT_COLOR", "type": "project", "raw_value": "red"})
    (entry,) = api.control.requests()
    assert entry["body"] == '{"name": "DBT_COLOR", "type": "project", "raw_value": "**********"}'

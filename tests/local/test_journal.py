"""The journal: what came over the wire."""

import requests


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

"""Every kind of fault, over real sockets."""

import contextlib
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def test_a_status_hits_so_many_requests_and_no_more(api):
    api.control.add_fault("status", status=503, count=2)
    assert [api.ask("jobs/").status_code for _ in range(3)] == [503, 503, 200]


def test_a_status_may_carry_retry_after_and_a_body(api):
    api.control.add_fault("status", status=429, retry_after=2, body="slow down")
    answer = api.ask("jobs/")
    assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "2", "slow down")


def test_a_status_without_a_body_of_its_own_is_an_envelope(api):
    api.control.add_fault("status")
    answer = api.ask("jobs/")
    assert answer.status_code == answer.json()["status"]["code"] == 500


@pytest.mark.parametrize("kind", ["status", "reset", "html", "redirect"])
def test_a_post_that_fails_before_acting_starts_nothing(api, kind):
    job = api.job()
    api.control.add_fault(kind, method="POST", count=1)
    attempt(api, job)
    assert api.get("runs/") == []


@pytest.mark.parametrize("kind", ["status", "reset", "html", "redirect"])
def test_a_post_that_fails_after_acting_has_started_its_run(api, kind):
    job = api.job()
    api.control.add_fault(kind, method="POST", count=1, after_acting=True)
    attempt(api, job)
    assert len(api.get("runs/")) == api.control.counters()["runs_created"] == 1


def attempt(api, job):
    with contextlib.suppress(requests.ConnectionError):
        answer = api.ask(f"jobs/{job}/run/", "POST", json={"cause": "x"})
        assert "data" not in answer.text or answer.status_code == 500


def test_a_reset_is_a_tcp_reset_and_no_error_of_the_servers(api, caplog):
    api.control.add_fault("reset", count=1)
    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        api.ask("jobs/")
    assert api.ask("jobs/").status_code == 200
    assert api.control.counters()["answers"] == {"200": 1, "reset": 1}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("after_acting", [False, True])
def test_a_delay_keeps_the_answer_back(api, after_acting):
    api.control.add_fault("delay", seconds=0.2, count=1, after_acting=after_acting)
    begin = time.monotonic()
    assert api.ask("jobs/").status_code == 200
    assert time.monotonic() - begin >= 0.2


def test_a_delayed_request_does_not_act_on_what_came_after_a_reset(api):
    """Ids start again after a reset. A cancel that was delayed for longer hit the next test's run."""
    first = api.start(api.job())["id"]
    api.control.add_fault("delay", seconds=0.5, route="*/cancel/")
    with ThreadPoolExecutor() as threads:
        cancel = threads.submit(api.ask, f"runs/{first}/cancel/", "POST")
        while not api.control.faults()[0]["hits"]:
            time.sleep(0.01)
        api.control.reset()
        second = api.start(api.job())["id"]
        assert isinstance(cancel.exception(timeout=10), requests.ConnectionError)
    assert second == first
    assert api.get(f"runs/{second}/")["status"] != 30


def test_a_cut_body_is_shorter_than_promised(api):
    api.control.add_fault("cut", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api.ask("jobs/")
    assert api.ask("jobs/").status_code == 200


def test_an_artifact_can_be_cut_too(api):
    run = api.start(api.job({"artifacts": {"manifest.json": {"nodes": {}}}}))["id"]
    api.control.add_fault("cut", route="*/artifacts/*", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.ask(f"runs/{run}/artifacts/manifest.json")


def test_html_in_place_of_json_is_a_login_page(api):
    api.control.add_fault("html")
    answer = api.ask("jobs/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Log in" in answer.text


def test_html_may_come_with_an_error(api):
    api.control.add_fault("html", status=502, body="<h1>Bad gateway</h1>")
    answer = api.ask("jobs/")
    assert (answer.status_code, answer.text) == (502, "<h1>Bad gateway</h1>")


def test_a_redirect_leads_to_the_given_location(api):
    api.control.add_fault("redirect", location="https://login.example/")
    answer = api.ask("jobs/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://login.example/")


def test_a_new_run_is_not_found_for_a_while(api):
    api.control.add_fault("not_found_after_start", seconds=30)
    run = api.start(api.job())["id"]
    assert api.ask(f"runs/{run}/").status_code == 404
    assert api.ask("runs/").status_code == 200
    api.control.advance(31)
    assert api.ask(f"runs/{run}/").status_code == 200


def test_pk__in_can_be_refused_as_if_it_were_unknown(api):
    api.control.add_fault("refuse_pk__in")
    answer = api.ask("runs/?pk__in=[1]")
    assert answer.status_code == 400
    assert answer.json()["data"] == "Additional properties are not allowed ('pk__in' was unexpected)"
    assert api.ask("runs/?status__in=[1]").status_code == 200


def test_a_share_of_requests_is_hit_and_the_same_ones_each_time(api):
    def outcomes():
        api.control.clear_faults()
        api.control.add_fault("status", rate=0.3, seed=7)
        return [api.ask("jobs/1/").status_code for _ in range(60)]

    first = outcomes()
    assert first == outcomes()
    assert 8 < first.count(500) < 30


def test_rules_choose_by_method_glob_and_regular_expression(api):
    run = api.start(api.job())["id"]
    api.control.add_fault("status", route="^/api/v2/accounts/[0-9]+/runs/[0-9]+/?$")
    api.control.add_fault("status", route="*/jobs/*", method="POST", status=502)
    assert [api.ask(path).status_code for path in ("runs/", f"runs/{run}", "jobs/1/")] == [200, 500, 200]
    assert api.ask("jobs/1/run/", "POST").status_code == 502


def test_the_control_plane_is_spared(api):
    api.control.add_fault("status")
    assert api.ask("/_local/health").status_code == 200
    (rule,) = api.ask("/_local/faults").json()
    assert (rule["kind"], rule["hits"]) == ("status", 0)


def test_rules_are_set_and_withdrawn_over_http(api):
    rules = [{"kind": "status", "count": 1}, {"kind": "delay", "seconds": 1, "route": "/nowhere"}]
    assert len(api.ask("/_local/faults", "POST", data=json.dumps(rules)).json()["ids"]) == 2
    assert api.ask("jobs/").status_code == 500
    assert [rule["hits"] for rule in api.ask("/_local/faults/").json()] == [1, 0]
    api.ask("/_local/faults", "DELETE")
    assert api.ask("/_local/faults").json() == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "flood"}, "kind is one of status, reset"),
        ({"kind": "status", "codes": 1}, "A fault has no codes."),
        ({"kind": "status", "route": "^("}, "not a regular expression"),
        (["x"], "got 'x'"),
        (
            {"kind": "status", "retry_after": "soon"},
            "retry_after of a fault is 'soon'.",
        ),
        ({"kind": "delay", "seconds": True}, "seconds of a fault is True. It has to be a number."),
        ({"kind": "reset", "route": 5}, "route of a fault is 5. It has to be a text."),
    ],
)
def test_a_wrong_rule_is_refused_and_named(api, rule, words):
    answer = api.ask("/_local/faults", "POST", json=rule)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]

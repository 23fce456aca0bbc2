"""The middleware: its order, and the answers to requests that reach no endpoint."""

import pytest

from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/accounts/1/connections/"),
        ("GET", "/api/v3/accounts/1/runs/"),
        ("POST", "/api/v2/accounts/1/"),
        ("PATCH", "/api/v2/accounts/1"),
        ("DELETE", "/api/v3/accounts/1/environments/1/sao-cache/"),
        ("GET", "/somewhere"),
    ],
)
def test_what_is_not_served_answers_501_and_names_itself(api, method, path):
    answer = api.ask(path, method)
    assert answer.status_code == answer.json()["status"]["code"] == 501
    assert f"{method} {path}" in answer.json()["status"]["user_message"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "jobs/1/run/"), ("PUT", "runs/"), ("GET", "runs/1/cancel/")]
)
def test_a_wrong_method_is_answered_as_django_rest_framework_does(api, method, path):
    answer = api.ask(path, method)
    assert answer.status_code == 405
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


@pytest.mark.parametrize(
    "path", ["accounts/", "accounts/1/", "accounts/1/jobs/", "accounts/1/runs/", "accounts/1/jobs/1/"]
)
def test_the_closing_slash_may_be_left_out_and_nothing_redirects(api, path):
    with_slash, without = api.ask(f"/api/v2/{path}"), api.ask(f"/api/v2/{path.rstrip('/')}")
    assert with_slash.status_code == without.status_code == 200
    assert with_slash.json() == without.json()


def test_a_run_is_started_without_the_closing_slash_too(api):
    assert api.post(f"jobs/{api.job()}/run", cause="No slash")["status"] == 1


def test_a_closing_slash_may_be_added_too(api):
    assert api.ask("/api/v3/accounts/1/webhooks/subscriptions/").status_code == 200


BROKEN_BODIES = {
    "deep": b"[" * 200_000,
    "half a character": b'{"cause": "\\ud800"}',
    "no list": b"cause=x&steps_override=[dbt run]",
    "endless number": b"cause=x&threads_override=" + b"9" * 5_000,
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_body_that_means_nothing_is_refused(api, name):
    body = BROKEN_BODIES[name]
    kind = "application/json" if body[:1] in b"[{" else "application/x-www-form-urlencoded"
    answer = api.ask(f"jobs/{api.job()}/run/", "POST", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"created_at__range": '["0001-01-01", "9999-12-31T23:59:59-14:00"]'}, 400),
        ({"status__in": "[" * 6_000}, 400),
    ],
    ids=["beyond all years", "deep"],
)
def test_a_query_that_means_nothing_is_refused(api, query, status):
    assert api.ask("runs/", params=query).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/api/v2/accounts/2/", "runs/7/", "runs/seven/", "jobs/99/", "steps/1/", "runs/²/", f"runs/{9**40}/"],
)
def test_what_is_not_there_is_404_in_the_envelope(api, path):
    answer = api.ask(path)
    assert answer.status_code == answer.json()["status"]["code"] == 404
    assert answer.json()["status"]["is_success"] is False


def test_objects_of_another_account_are_not_there(api):
    api.control.seed(
        accounts=[{"id": 2, "name": "Other"}], jobs=[{"id": 70, "name": "Theirs", "account_id": 2}]
    )
    run = api.control.seed(runs=[{"job_id": 70}])["runs"][0]
    assert api.ask("jobs/70/").status_code == api.ask(f"runs/{run}/").status_code == 404
    assert api.ask("/api/v2/accounts/2/jobs/70/").status_code == 200


def test_a_body_that_is_too_large_is_refused(api):
    answer = api.ask("jobs/1/run/", "POST", data=b"x" * (9 * 1024**2))
    assert answer.status_code == answer.json()["status"]["code"] == 413
    assert "8,388,608 bytes" in answer.json()["status"]["user_message"]
    assert api.get("jobs/1/")["id"] == 1


def wrong_token(api, path="jobs/1/"):
    return api.ask(path, headers={"Authorization": "Token wrong"})


def test_an_injected_fault_is_logged(api):
    """The log is outside fault injection."""
    api.control.add_fault("status", status=503, count=1)
    assert api.ask("jobs/1/").status_code == 503
    assert [each["status"] for each in api.control.requests()] == [503]


def test_an_injected_fault_neither_counts_towards_the_rate_limit_nor_needs_a_token(api):
    """Fault injection is outside the rate limit and the authentication."""
    api.control.limit_rate(1)
    api.control.add_fault("status", status=503, count=2)
    assert [api.ask("jobs/1/").status_code, wrong_token(api).status_code] == [503, 503]
    assert [api.ask("jobs/1/").status_code for _ in range(2)] == [200, 429]


def test_a_request_with_a_wrong_token_counts_towards_the_rate_limit(api):
    """The rate limit is outside the authentication."""
    api.control.limit_rate(2)
    assert [wrong_token(api).status_code for _ in range(3)] == [401, 401, 429]
    assert api.ask("jobs/1/").status_code == 429


@pytest.mark.parametrize("ask", [wrong_token, lambda api: api.ask("jobs/99/")], ids=["401", "404"])
def test_an_error_is_an_answer_before_it_reaches_log_and_faults(api, ask):
    """Error handling is outside the authentication, and inside fault injection and the log."""
    api.control.add_fault("delay", after_acting=True, seconds=0)
    answer = ask(api)
    assert answer.json()["status"]["code"] == answer.status_code
    assert [each["status"] for each in api.control.requests()] == [answer.status_code]


def test_a_request_that_a_full_disk_refuses_is_answered_503(client_of):
    with LocalDbtCloud() as server:
        api, control = client_of(server), server.control
        database = control._control._cloud.store.runs._database
        # A limit of SQLite makes it report a full disk.
        control._call(lambda: database.execute("PRAGMA max_page_count = 1"))
        refused = api.ask(
            "jobs/1/run/", "POST", json={"cause": "x" * 200, "steps_override": ["dbt ls " + "x" * 9_000]}
        )
        assert (refused.status_code, refused.json()["status"]["code"]) == (503, 503)
        assert "The disk of the local dbt Cloud is full" in refused.text
        control._call(lambda: database.execute("PRAGMA max_page_count = 1000000"))
        assert api.get("runs/") == []

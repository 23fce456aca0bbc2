"""The test button's answer: what the token can read, or which of host, token and account is wrong."""

import time

import pytest

from wires.raw import answer, refusal

WHOLE_ACCOUNT = "Connected to account 1: the token can read account, projects and jobs."
REMARK = "Only running a job shows whether the token may run jobs."


def test_a_right_connection_says_what_can_be_read(hook):
    assert hook.test_connection() == (True, f"{WHOLE_ACCOUNT} {REMARK}")


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_limited_to_jobs_passes_with_a_remark(hook, dbt_cloud, status):
    for route in ("^/api/v2/accounts/1/$", "/projects/"):
        dbt_cloud.control.add_fault(
            "status", status=status, route=f"*{route}*" if "^" not in route else route
        )
    passed, said = hook.test_connection()
    assert passed
    assert said.startswith(
        "Connected to account 1: the token can read jobs. It cannot read account and projects"
    )
    assert "so give job ids instead of names" in said
    assert said.endswith(REMARK)


def test_a_wrong_token_is_told(connect, dbt_cloud):
    passed, said = connect(dbt_cloud, password="wrong-token").test_connection()
    assert not passed
    assert "answered 401" in said
    assert "Invalid token." in said
    assert "Check the API token" in said
    assert "wrong-token" not in said


def test_a_wrong_account_is_told_with_those_that_the_token_sees(connect, dbt_cloud):
    dbt_cloud.control.seed(accounts=[{"id": 5, "name": "Other"}])
    passed, said = connect(dbt_cloud, login="99").test_connection()
    assert not passed
    assert "cannot read account 99" in said
    assert "can read 1 (Local) and 5 (Other)" in said
    assert "Correct the Account ID" in said


def test_a_wrong_account_is_told_also_where_accounts_cannot_be_listed(connect, dbt_cloud):
    dbt_cloud.control.add_fault("html", route="/api/v3/accounts/")
    passed, said = connect(dbt_cloud, login="99").test_connection()
    assert not passed
    assert "cannot read account 99" in said


@pytest.mark.parametrize("reply", [answer("<html>Log in</html>"), answer("", 302, {"Location": "/login/"})])
def test_a_host_that_shows_web_pages_is_told(connect, raw_server, reply):
    raw_server.reply = reply
    passed, said = connect(host=raw_server.url).test_connection()
    assert not passed
    assert "Check the host" in said
    assert len(raw_server.received) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failing_dbt_cloud_is_told_at_once(connect, raw_server, status):
    raw_server.reply = refusal(status, "Come back later.")
    passed, said = connect(host=raw_server.url).test_connection()
    assert not passed
    assert "Come back later." in said
    assert len(raw_server.received) == 1


def test_a_host_that_does_not_listen_is_told_at_once(connect, closed_port):
    began = time.monotonic()
    hook = connect(host=f"http://127.0.0.1:{closed_port}", options={"retry_delay": 30})
    passed, said = hook.test_connection()
    assert time.monotonic() - began < 25
    assert not passed
    assert f"No answer came from http://127.0.0.1:{closed_port}" in said
    assert "Connection refused" in said
    assert "Check the host" in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": "no-such-host.invalid"}, "No answer came from https://no-such-host.invalid"),
        ({"host": "x", "login": "acme"}, "is not a valid account id"),
        ({"host": "x", "login": None}, "Account ID"),
        ({"host": "x", "password": None}, "An API token is required"),
        ({"host": "http://x"}, "unencrypted"),
        ({"host": "x", "extra": {"timeout": "soon"}}, "'timeout'"),
        ({"host": "x", "extra": {"verify": "/no/such"}}, "There is no certificate at /no/such"),
    ],
)
def test_what_is_wrong_with_a_connection_is_told(connect, fields, said):
    passed, told = connect(**fields).test_connection()
    assert not passed
    assert said in told


def test_little_is_asked_of_a_large_account(hook, dbt_cloud):
    dbt_cloud.control.seed(projects=[{"name": f"Project {number}"} for number in range(250)])
    assert hook.test_connection()[0]
    assert dbt_cloud.control.counters()["requests"] == 3

"""Who may ask what."""

import stat

import pytest
import requests

from dbtcloud.local.api.routes.table import ROUTE_TABLE
from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_both_schemes_of_dbt_cloud_carry_the_token(api, scheme):
    answer = api.ask("", headers={"Authorization": f"{scheme} {api.server.token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", [None, "", "Token", "Token wrong", "Basic abc", "token a-token-for-tests "]
)
def test_anything_else_is_refused_in_the_words_of_dbt_cloud(api, header):
    answer = api.ask("", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["status"] == {
        "code": 401,
        "is_success": False,
        "user_message": "Invalid token.",
        "developer_message": None,
    }
    assert answer.json()["data"] is None


def test_a_route_that_is_not_served_asks_for_the_token_first(api):
    assert api.ask("connections/", headers={"Authorization": "Token wrong"}).status_code == 401


def test_the_health_check_needs_no_token(api):
    assert requests.get(f"{api.server.url}/_local/health", timeout=5).status_code == 200
    assert requests.get(f"{api.server.url}/_local/health/", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [(route.method, route.path) for route in ROUTE_TABLE if "/_local/" in route.path]
)
def test_the_control_plane_refuses_who_has_no_token_of_the_owner(api, method, path):
    some = api.control.add_token("webhooks_only", "owner")
    headers = [{}, {"Authorization": f"Token {some}"}, {"Authorization": some}, {"Authorization": "Token "}]
    answers = [
        requests.request(method, f"{api.server.url}{target}", headers=each, timeout=5)
        for target in (path, path.replace("_", "%5F"))
        for each in headers
    ]
    if path != "/_local/health/":
        assert {answer.status_code for answer in answers} == {401}
        assert "control_token" in answers[0].json()["status"]["user_message"]
    assert api.control.counters()["requests"] == 0


def test_the_control_token_is_in_a_file_of_the_user_alone_and_opens_the_control_plane_only(tmp_path):
    tmp_path.chmod(0o755)
    with LocalDbtCloud(data_dir=tmp_path) as server:
        file = tmp_path / "control_token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        headers = {"Authorization": f"Token {file.read_text()}"}
        assert requests.post(f"{server.url}/_local/reset", headers=headers, timeout=5).status_code == 200
        of_api = requests.get(f"{server.url}/api/v2/accounts/", headers=headers, timeout=5)
        assert of_api.status_code == 401
    assert not file.exists()


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "rebound.example:80"}])
def test_a_web_page_of_another_origin_cannot_reach_the_control_plane(api, headers):
    answer = api.ask("/_local/reset", "POST", headers=headers)
    assert answer.status_code == 403
    assert "loopback" in answer.json()["status"]["user_message"]


def test_off_loopback_the_control_plane_asks_for_the_token_too():
    with LocalDbtCloud(host="0.0.0.0", token="chosen") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert requests.get(f"{url}/_local/health", timeout=5).status_code == 200
        assert requests.get(f"{url}/_local/clock", timeout=5).status_code == 401
        allowed = requests.get(f"{url}/_local/clock", headers={"Authorization": "Token chosen"}, timeout=5)
        assert allowed.status_code == 200


def test_a_webhook_to_the_server_itself_changes_nothing(api, eventually):
    job = api.job()
    hook = {
        "name": "Itself",
        "client_url": f"{api.server.url}/_local/reset",
        "active": True,
        "event_types": ["job.run.completed"],
    }
    token = api.control.add_token("webhooks_only")
    made = api.ask(
        "/api/v3/accounts/1/webhooks/subscriptions",
        "POST",
        json=hook,
        headers={"Authorization": f"Token {token}"},
    )
    subscription = f"/api/v3/accounts/1/webhooks/subscription/{made.json()['data']['id']}"
    assert api.ask(f"{subscription}/test").status_code == 200
    eventually(lambda: api.get(subscription)["http_status_code"] == "401")
    assert api.get(f"jobs/{job}/")["id"] == job

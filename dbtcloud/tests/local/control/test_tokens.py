"""Who may ask what."""

import pytest
import requests

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


def test_the_control_plane_is_open_to_programs_of_this_machine(api):
    assert requests.get(f"{api.server.url}/_local/health", timeout=5).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "rebound.example:80"}])
def test_a_web_page_of_another_origin_cannot_reach_the_control_plane(api, headers):
    answer = requests.post(f"{api.server.url}/_local/reset", headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "loopback" in answer.json()["status"]["user_message"]


def test_off_loopback_the_control_plane_asks_for_the_token_too():
    with LocalDbtCloud(host="0.0.0.0", token="chosen") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert requests.get(f"{url}/_local/health", timeout=5).status_code == 401
        allowed = requests.get(f"{url}/_local/health", headers={"Authorization": "Token chosen"}, timeout=5)
        assert allowed.status_code == 200

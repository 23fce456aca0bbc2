"""Permission sets: what a token may read and change, and the answers when it may not."""

import pytest

PROJECTS = "/api/v3/accounts/1/projects/"


def asker(api, *permission_sets):
    """Return a function that asks with a token of its own, and tells the status of the answer."""
    token = api.control.add_token(*permission_sets)

    def ask(path, method="GET", **kwargs):
        return api.ask(path, method, headers={"Authorization": f"Bearer {token}"}, **kwargs).status_code

    return ask


def test_a_job_runner_runs_jobs_and_cannot_list_projects(api):
    ask, job = asker(api, "job_runner"), api.job()
    assert ask(f"jobs/{job}/run/", "POST", json={"cause": "Allowed"}) == 200
    assert [ask("runs/"), ask("jobs/"), ask("")] == [200, 200, 200]
    assert [ask(PROJECTS), ask("environments/"), ask(f"{PROJECTS}1/environments/")] == [403, 403, 403]
    assert [ask(f"{PROJECTS}1/"), ask("environments/1/")] == [404, 404]
    assert ask("jobs/", "POST", json={"name": "x", "project_id": 1, "environment_id": 1}) == 403
    assert ask(f"jobs/{job}/", "DELETE") == 404


def test_a_job_viewer_sees_and_does_nothing(api):
    ask, job = asker(api, "job_viewer"), api.job()
    run = api.start(job)["id"]
    seen = (PROJECTS, f"{PROJECTS}1/environments/", "jobs/", f"runs/{run}/")
    assert [ask(path) for path in seen] == [200] * 4
    assert ask(f"jobs/{job}/run/", "POST", json={"cause": "Not allowed"}) == 404
    assert ask(f"runs/{run}/cancel/", "POST") == 404
    assert api.control.counters()["runs_created"] == 1


def test_two_sets_add_up(api):
    ask = asker(api, "job_runner", "job_viewer")
    assert ask(PROJECTS) == ask(f"jobs/{api.job()}/run/", "POST", json={"cause": "Allowed"}) == 200


@pytest.mark.parametrize(
    ("permission_set", "codes"),
    [
        ("account_admin", [200, 200, 200, 200]),
        ("job_admin", [200, 200, 200, 403]),
        ("webhooks_only", [403, 403, 403, 200]),
        ("metadata_only", [403, 403, 403, 403]),
        ("billing_admin", [403, 403, 403, 403]),
    ],
)
def test_each_set_reads_its_own(api, permission_set, codes):
    ask = asker(api, permission_set)
    variables = f"{PROJECTS}1/environment-variables/environment/"
    assert [
        ask("runs/"),
        ask("jobs/"),
        ask(variables),
        ask("/api/v3/accounts/1/webhooks/subscriptions"),
    ] == codes


def test_the_refusal_of_a_list_is_spelled_as_dbt_clouds(api):
    token = api.control.add_token("job_runner")
    answer = api.ask(PROJECTS, headers={"Authorization": f"Token {token}"}).json()
    assert answer["status"] == {
        "code": 403,
        "is_success": False,
        "user_message": "Forbidden: Access denied",
        "developer_message": None,
    }


def test_tokens_are_made_over_http_and_go_with_a_reset(api):
    body = {"permission_sets": ["job_viewer"], "token": "chosen"}
    answer = api.ask("/_local/tokens", "POST", json=body)
    assert answer.json() == {"token": "chosen", "permission_sets": ["job_viewer"]}
    assert api.ask("jobs/", headers={"Authorization": "Token chosen"}).status_code == 200
    api.control.reset()
    assert api.ask("jobs/", headers={"Authorization": "Token chosen"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"permission_sets": ["boss"]}, "job_runner"),
        ({"permission_sets": "owner"}, "permission_sets"),
        ({"permission_sets": [["owner"]]}, "Give"),
        ({"permission_sets": ["owner"], "token": 5}, "Give"),
        ([], "Give"),
    ],
)
def test_a_token_that_cannot_be_is_refused(api, body, words):
    answer = api.ask("/_local/tokens", "POST", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_a_refusal_does_not_repeat_the_token(api):
    answer = api.ask("/_local/tokens", "POST", json={"permission_sets": "owner", "token": "hush"})
    assert answer.status_code == 400
    assert "hush" not in answer.text


def test_the_servers_own_token_keeps_all_permissions(api):
    with pytest.raises(ValueError, match="own token"):
        api.control.add_token("job_viewer", token=api.server.token)

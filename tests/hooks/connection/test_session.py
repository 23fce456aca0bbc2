"""One session per hook and thread, and nothing that survives from one request to the next."""

import copy
import threading

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud.hooks.connection.session import TokenAuth
from wires.raw import answer, envelope, refusal


def test_many_verbs_go_over_one_connection(hook, dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    run = hook.trigger_job_run(70, "a test").json()["data"]["id"]
    for verb in (
        hook.list_accounts,
        hook.get_account,
        hook.list_projects,
        hook.list_jobs,
        hook.list_job_runs,
        lambda: hook.get_job_run(run, include_related=["run_steps"]),
        lambda: hook.get_job_run_status(run),
        lambda: hook.list_job_run_artifacts(run),
        lambda: hook.cancel_job_run(run),
    ):
        verb()
    counters = dbt_cloud.control.counters()
    assert (counters["requests"], counters["connections"]) == (10, 1)


def test_the_same_hook_has_one_session_and_another_hook_another(hook, connect, dbt_cloud):
    assert hook.get_conn() is hook.get_conn()
    assert hook.get_conn() is not connect(dbt_cloud).get_conn()


def test_each_thread_has_a_session_of_its_own(hook, dbt_cloud):
    sessions, barrier = {}, threading.Barrier(2)

    def work(name):
        barrier.wait()
        for _ in range(5):
            hook.get_job(1)
        sessions[name] = hook.get_conn()
        barrier.wait()
        hook.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions["a"] is not sessions["b"]
    counters = dbt_cloud.control.counters()
    assert (counters["requests"], counters["connections"], counters["answers"]) == (10, 2, {"200": 10})


def test_methods_of_threads_do_not_mix(connect, raw_server):
    hook, both = connect(host=raw_server.url), threading.Barrier(2)

    def work(verb):
        for _ in range(20):
            both.wait()
            verb(7)

    threads = [
        threading.Thread(target=work, args=(verb,)) for verb in (hook.get_job_run, hook.cancel_job_run)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = {
        (each.method, each.target.removeprefix("/api/v2/accounts/1/runs/7/")) for each in raw_server.received
    }
    assert asked == {("GET", ""), ("POST", "cancel/")}


def test_a_get_after_a_post_carries_nothing_of_it(connect, raw_server):
    hook = connect(host=raw_server.url)
    hook.trigger_job_run(70, "a test")
    hook.get_job_run(7)
    post, get = raw_server.received
    assert (post.method, get.method) == ("POST", "GET")
    assert post.headers["content-type"] == "application/json"
    assert get.body == b""
    assert not {"content-type", "content-length"} & set(get.headers)
    assert post.connection == get.connection


def test_json_after_a_stream_is_not_streamed(connect, raw_server):
    hook = connect(host=raw_server.url)
    hook.method = "GET"
    streamed = hook.run("api/v2/x/", extra_options={"stream": True, "check_response": False})
    assert not streamed._content_consumed
    assert streamed.raw.read(1) == b"{"
    streamed.close()
    assert hook.get_job_run(7)._content_consumed
    assert hook.get_conn().stream is False


def test_the_options_of_a_request_do_not_outlive_it(connect, raw_server):
    hook = connect(host=raw_server.url, extra={"timeout": 5})
    hook.method = "GET"
    raw_server.replies(refusal(500, "no"), refusal(500, "no"))
    assert hook.run("/api/", extra_options={"check_response": False, "timeout": 1}).status_code == 500
    assert hook.merged_extra["timeout"] == 1
    with pytest.raises(AirflowException, match="500"):
        hook.run("/api/")
    assert hook.merged_extra["timeout"] == 5


def test_cookies_of_a_proxy_or_login_page_are_of_no_account(connect, raw_server):
    hook = connect(host=raw_server.url)
    raw_server.reply = answer(
        envelope({"id": 7, "status": 10}), headers={"Set-Cookie": "who=someone; Path=/"}
    )
    hook.get_job_run(7)
    hook.get_job_run(7)
    assert "cookie" not in raw_server.received[1].headers


def test_run_takes_a_path_or_a_whole_address(connect, raw_server):
    hook = connect(host=raw_server.url)
    hook.method = "get"
    hook.run("api/v2/accounts/", {"limit": 1})
    hook.run(f"{raw_server.url}/api/v3/accounts/")
    assert [each.target for each in raw_server.received] == ["/api/v2/accounts/?limit=1", "/api/v3/accounts/"]


def test_a_closed_hook_opens_a_new_connection(hook, dbt_cloud):
    hook.get_job(1)
    hook.close()
    hook.close()
    hook.get_job(1)
    assert dbt_cloud.control.counters()["connections"] == 2


def test_a_hook_may_be_copied_as_airflow_copies_operators_that_hold_one(hook, dbt_cloud):
    hook.get_job(1)
    copied = copy.deepcopy(hook)
    assert copied.get_job(1).status_code == 200
    assert copied.get_conn() is not hook.get_conn()
    assert dbt_cloud.control.counters()["connections"] == 2
    copied.close()


def test_a_run_without_an_answer_is_not_said_to_be_tried_again(connect, closed_port, caplog):
    hook = connect(host=f"http://127.0.0.1:{closed_port}")
    with pytest.raises(AirflowException, match="No answer came"):
        hook.trigger_job_run(70, "a test", account_id=1)
    assert "Tenacity" not in caplog.text


def test_the_token_is_not_in_the_repr_of_what_signs_with_it():
    assert "secret" not in repr(TokenAuth("secret"))

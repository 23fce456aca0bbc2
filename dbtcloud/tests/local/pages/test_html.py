"""The pages for people."""

import re

import pytest
import requests


def page(api, path):
    answer = api.ask(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer.text


def test_a_runs_address_shows_the_run(api):
    run = api.start(api.job(name="Bread & <butter>"), cause="<script>alert(1)</script>")
    api.control.advance(30)
    shown = api.session.get(run["href"], timeout=5).text
    assert f"Bread &amp; &lt;butter&gt;: run {run['id']}" in shown
    assert "Running" in shown
    assert "2. Invoke dbt with `dbt build`" in shown
    assert "<script>" not in shown


def test_a_page_renews_itself_only_while_the_run_goes_on(api):
    run = api.start(api.job())
    assert "http-equiv='refresh'" in api.session.get(run["href"], timeout=5).text
    api.control.advance(1_000)
    assert "http-equiv='refresh'" not in api.session.get(run["href"], timeout=5).text


def test_the_newest_runs_are_listed(api):
    assert "No job has run yet" in page(api, "/")
    run = api.start(api.job({"outcome": 20}))
    assert f"href='/deploy/1/projects/1/runs/{run['id']}/'" in page(api, "/")
    assert "<strong class='badge Error'>Error</strong>" in page(api, "/")


NODES = [
    {"unique_id": "model.oven.bread", "status": "success", "execution_time": 2.0, "message": "OK"},
    {
        "unique_id": "test.oven.<b>burnt</b>",
        "status": "fail",
        "execution_time": 1,
        "message": "Got <7> results",
    },
    {"unique_id": "model.oven.odd", "status": "success", "execution_time": "long"},
    "no node at all",
]


@pytest.mark.parametrize(
    ("results", "shown"), [(NODES, 2), ({"not": "a list"}, 0), ([], 0)], ids=["nodes", "nonsense", "none"]
)
def test_a_runs_nodes_are_shown_with_their_times_the_slowest_first(api, results, shown):
    script = {
        "outcome": 20,
        "steps": [{"name": "Invoke dbt with `dbt build`", "outcome": 20, "command": "dbt build"}],
        "artifacts": {"run_results.json": {"results": results}},
    }
    text = api.session.get(api.start(api.job(script))["href"], timeout=5).text
    assert text.count("<div class='bar") == shown
    if shown:
        assert text.index("oven.bread".removeprefix("oven.")) < text.index("&lt;b&gt;burnt&lt;/b&gt;")
        assert "width: 50.0%" in text
        assert "Got &lt;7&gt; results" in text
        assert "<b>burnt" not in text


def test_a_runs_page_counts_the_nodes_that_dbt_state_saved(api):
    statuses = ["success", "NoOp", "Reused", "reused"]
    nodes = [{"unique_id": f"model.oven.m{n}", "status": status} for n, status in enumerate(statuses)]
    script = {
        "steps": [{"name": "Invoke dbt with `dbt build`", "outcome": 10, "command": "dbt build"}],
        "artifacts": {"run_results.json": {"results": nodes}},
    }
    text = api.session.get(api.start(api.job(script))["href"], timeout=5).text
    assert "4 nodes, the slowest first. 3 had no work to do (no-op) or were reused." in text
    assert text.count("<strong class='badge reused'>reused</strong>") == 2


def test_a_page_lets_nothing_in_from_elsewhere(api):
    answer = api.ask("/")
    assert (
        answer.headers["Content-Security-Policy"]
        == "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    )
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace(api.server.url, "")


def test_pages_are_not_logged_and_not_hit_by_faults(api):
    api.control.add_fault("status")
    page(api, "/")
    assert api.control.requests() == []


def test_pages_of_what_is_not_there_are_404(api):
    assert api.ask("/deploy/1/projects/1/runs/7/").status_code == 404


JOBS = "/deploy/1/jobs/"


def form(text, job_id):
    """The address and the token of a job's button."""
    path = f"/deploy/1/projects/1/jobs/{job_id}/run/"
    return path, re.search(rf"action='{path}'><input type='hidden' name='form_token' value='(\w+)'>", text)[1]


def test_the_jobs_are_listed_with_their_newest_run(api):
    job = api.job({"outcome": 20}, name="Bread & <butter>", execute_steps=["dbt build --select <b>"])
    run = api.start(job)
    api.ask(f"jobs/{api.job(name='Gone')}/", "DELETE")
    text = page(api, JOBS)
    assert "Bread &amp; &lt;butter&gt;" in text
    assert "<code>dbt build --select &lt;b&gt;</code>" in text
    assert f"<a href='/deploy/1/projects/1/runs/{run['id']}/'>{run['id']}</a>" in text
    assert "Daily build" in text
    assert "Gone" not in text
    assert f"href='{JOBS}'" in page(api, "/")


def test_a_job_is_run_from_the_page_of_the_jobs(api):
    job = api.job()
    with requests.Session() as browser:
        text = browser.get(api.control.page_link(JOBS), timeout=5).text
        path, token = form(text, job)
        started = browser.post(f"{api.server.url}{path}", data={"form_token": token}, timeout=5)
    (run,) = api.get("runs/", include_related="trigger")
    assert (started.status_code, started.url) == (200, run["href"])
    assert run["trigger"]["cause"] == "Started on the page of the jobs"


@pytest.mark.parametrize("token", [None, "", "guessed", "ü", "of another session"])
def test_a_form_without_the_token_of_the_session_starts_nothing(api, token):
    job = api.job()
    with requests.Session() as browser, requests.Session() as other:
        text = browser.get(api.control.page_link(JOBS), timeout=5).text
        path, _ = form(text, job)
        if token == "of another session":
            _, token = form(other.get(api.control.page_link(JOBS), timeout=5).text, job)
        refused = browser.post(f"{api.server.url}{path}", data={"form_token": token}, timeout=5)
    assert refused.status_code == 403
    assert "Nothing was started" in refused.text
    assert api.get("runs/") == []


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:1"}])
def test_a_form_without_a_session_or_of_another_origin_starts_nothing(api, headers):
    job = api.job()
    path, token = form(page(api, JOBS), job)
    session = {} if headers else {"Authorization": ""}
    refused = api.ask(path, "POST", data={"form_token": token}, headers={**headers, **session})
    assert refused.status_code == (403 if headers else 401)
    assert api.get("runs/") == []


def test_a_job_of_another_project_or_a_deleted_one_is_not_run(api):
    job = api.job()
    path, token = form(page(api, JOBS), job)
    body = {"form_token": token}
    assert api.ask(path.replace("projects/1", "projects/2"), "POST", data=body).status_code == 404
    api.ask(f"jobs/{job}/", "DELETE")
    assert api.ask(path, "POST", data=body).status_code == 404
    assert api.get("runs/") == []

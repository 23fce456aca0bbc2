"""The pages for people."""

import pytest


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
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace(api.server.url, "")


def test_pages_are_not_logged_and_not_hit_by_faults(api):
    api.control.add_fault("status")
    page(api, "/")
    assert api.control.requests() == []


def test_pages_of_what_is_not_there_are_404(api):
    assert api.ask("/deploy/1/projects/1/runs/7/").status_code == 404

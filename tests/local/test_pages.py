"""The pages for people."""

import requests


def page(api, path):
    answer = requests.get(f"{api.server.url}{path}", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer.text


def test_a_runs_address_opens_in_a_browser_without_a_token(api):
    run = api.start(api.job(name="Bread & <butter>"), cause="<script>alert(1)</script>")
    api.control.advance(30)
    shown = requests.get(run["href"], timeout=5).text
    assert f"Bread &amp; &lt;butter&gt;: run {run['id']}" in shown
    assert "Running" in shown
    assert "2. Invoke dbt with `dbt build`" in shown
    assert "<script>" not in shown


def test_a_page_renews_itself_only_while_the_run_goes_on(api):
    run = api.start(api.job())
    assert "http-equiv='refresh'" in requests.get(run["href"], timeout=5).text
    api.control.advance(1_000)
    assert "http-equiv='refresh'" not in requests.get(run["href"], timeout=5).text


def test_the_newest_runs_are_listed(api):
    assert "No job has run yet" in page(api, "/")
    run = api.start(api.job({"outcome": 20}))
    assert f"href='/deploy/1/projects/1/runs/{run['id']}/'" in page(api, "/")
    assert "<strong class='Error'>Error</strong>" in page(api, "/")


def test_pages_are_no_part_of_the_journal_and_suffer_no_fault(api):
    api.control.add_fault("status")
    page(api, "/")
    assert api.control.requests() == []


def test_pages_of_what_is_not_there_are_404(api):
    assert requests.get(f"{api.server.url}/deploy/1/projects/1/runs/7/", timeout=5).status_code == 404

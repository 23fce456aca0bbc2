"""The pages of the local dbt Cloud in a browser, and the picture in README of a failed run's page.

The picture is `docs/images/run-page.png`, and `run-page.txt` beside it holds the words that it shows. Take
both again by `SCREENSHOTS=docs/images .venv/bin/python -m pytest tests/browser/test_run_page.py`.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dbtcloud.client import endpoints
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from real_airflow.browser import chromium, open_page, screenshots

IMAGES = Path(__file__).parents[2] / "docs" / "images"
FAILING_JOB = 4
CAUSE = "Triggered via Apache Airflow by task 'build' in the nightly DAG."
DBT_SECONDS = 180
WINDOW = {"width": 1000, "height": 800}


@pytest.fixture
def page():
    with open_page(chromium()) as opened:
        opened.set_viewport_size(WINDOW)
        yield opened


def words(page: Page) -> str:
    """Return the page's words, with `#` for whatever differs from run to run."""
    shown = page.locator("main").inner_text().replace("\t", " ")
    shown = re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d|\b\d+\.\d\d\b", "#", shown)
    return "\n".join(line.strip() for line in shown.splitlines() if line.strip()) + "\n"


@pytest.mark.dbt
def test_the_page_of_a_failed_run_shows_what_the_picture_shows(page, dbt_cloud):
    with SyncClient(Credentials(base_url=dbt_cloud.url, token=dbt_cloud.token)) as client:
        run = client.ask(endpoints.trigger_run(dbt_cloud.account_id, FAILING_JOB, {"cause": CAUSE}))

    path = f"/deploy/{dbt_cloud.account_id}/projects/1/runs/{run.id}/"
    page.goto(dbt_cloud.control.page_link(path))
    assert page.url == f"{dbt_cloud.url}{path}", "the code stays in the address"
    # The page renews itself until the run has ended.
    status = page.locator("section").first.locator(".badge")
    expect(status).to_have_text("Error", timeout=DBT_SECONDS * 1000)
    page.locator("details[open] > summary").click()  # dbt's log would fill the picture
    shown = words(page)
    folder = screenshots()
    page.screenshot(path=folder / "run-page.png", full_page=True)
    (folder / "run-page.txt").write_text(shown)

    # The nodes are in the order of their seconds.
    assert sorted(shown.splitlines()) == sorted((IMAGES / "run-page.txt").read_text().splitlines())


def test_a_browser_runs_a_job_by_its_button(page, dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"running": 1000}}])
    page.goto(dbt_cloud.control.page_link("/deploy/1/jobs/"))
    page.get_by_role("row", name="Nightly").get_by_role("button", name="Run").click()

    expect(page.locator("h1")).to_contain_text("Nightly: run")
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("row", name="Nightly").locator(".badge")).to_have_text("Running")

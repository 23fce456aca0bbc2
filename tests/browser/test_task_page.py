"""The page of a finished task in Airflow's own web page."""

import pytest
from playwright.sync_api import expect

JOB = 70


@pytest.fixture(scope="module")
def outcome(airflow, cloud):
    """A finished task that ran a job of two seconds."""
    cloud.control.seed(jobs=[{"id": JOB, "name": "Of two seconds", "pretend": {"running": 2, "outcome": 10}}])
    return airflow.wait(airflow.trigger("run_job", conf={"job_id": JOB}))


def test_the_extra_link_leads_to_the_run_on_dbt_cloud(web, outcome):
    web.open_task(outcome.run, "build")
    web.page.get_by_role("link", name="Details").click()  # where Airflow shows extra links
    link = web.page.get_by_role("link", name="Monitor Job Run")
    expect(link).to_have_attribute("href", outcome.xcom("build", "job_run_url"))
    web.shoot("task-extra-link")


def test_the_log_says_which_run_it_was_and_how_it_ended(web, outcome):
    web.open_task(outcome.run, "build")
    run_id = outcome.xcom("build")
    expect(web.page.get_by_text(f"dbt Cloud run {run_id} of job {JOB}")).to_be_visible()
    expect(web.page.get_by_text(f"Job run {run_id} has completed successfully.")).to_be_visible()
    web.shoot("task-log")

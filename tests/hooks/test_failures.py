"""How a run ended, in log lines."""

import logging

import pytest

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from dbtcloud.client.models import Run
from dbtcloud.report.run_report import RunReport
from dbtcloud.report.step_log import LOG_TAIL_LINES
from wires.raw import answer, envelope, refusal


class Telling(DbtCloudHook):
    """Logs where pytest looks."""

    log = logging.getLogger("a task's log")


def test_only_the_end_of_a_failed_steps_log_is_told():
    step = {
        "index": 3,
        "name": "Invoke dbt",
        "status": 20,
        "logs": "\n".join(f"line {n}" for n in range(500)),
    }
    run = Run.parse({"id": 7, "status": 20, "run_steps": [step], "href": "https://x/7/"})
    lines = RunReport(run).log_lines()
    assert lines[0] == "dbt Cloud run 7 ended with status Error."
    assert lines[1] == "Step 3, Invoke dbt: Error"
    assert lines[2:-1] == [f"  line {n}" for n in range(500 - LOG_TAIL_LINES, 500)]
    assert lines[-1] == "See https://x/7/"


def test_a_run_without_a_failed_step_tells_its_last():
    steps = [{"index": n, "name": f"step {n}", "status": 10, "logs": None} for n in (1, 2)]
    run = Run.parse({"id": 7, "status": 30, "run_steps": steps, "status_message": "Cancelled by user."})
    lines = RunReport(run).log_lines()
    assert lines == [
        "dbt Cloud run 7 ended with status Cancelled. Cancelled by user.",
        "Step 2, step 2: Success",
    ]


def test_details_that_are_given_are_not_asked_for(connect, raw_server, caplog):
    hook = connect(host=raw_server.url, kind=Telling)
    hook.log_job_run_failure_details(7, job_run={"id": 7, "status": 20, "status_message": "It broke."})
    assert "It broke." in caplog.text
    assert raw_server.received == []


@pytest.mark.parametrize(
    "reply",
    [
        refusal(404, "gone"),
        refusal(500, "oops"),
        answer("<html>"),
        answer(envelope({"id": 7})),
        answer(envelope(None)),
        None,
    ],
)
def test_a_fault_while_asking_is_logged_and_not_raised(connect, raw_server, caplog, reply):
    raw_server.reply = reply
    connect(host=raw_server.url, kind=Telling).log_job_run_failure_details(7)
    assert "Could not read the details of run 7" in caplog.text


@pytest.mark.parametrize("details", [{"run": 7}, {"id": 7, "status": 20, "run_steps": [{}]}])
def test_details_of_another_shape_are_logged_and_not_raised(connect, raw_server, caplog, details):
    connect(host=raw_server.url, kind=Telling).log_job_run_failure_details(7, job_run=details)
    assert "Could not read the details of run 7" in caplog.text

"""Waiting on a worker: each status and step is told once, faults are lived through, the end is told truly."""

import asyncio
import logging
import time
from itertools import chain

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.hooks.connection import credentials
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook, DbtCloudJobRunStatus
from dbtcloud.client.errors import RunTimedOut
from dbtcloud.testing import CONNECTION_VARIABLE
from wires.raw import answer, dripping, endless, envelope, refusal, silence

STEPS = [
    {"name": "Clone git repository", "seconds": 2, "logs": "cloned"},
    {"name": "Invoke dbt with `dbt build`", "seconds": 2, "logs": "a\nb\nDatabase Error in model orders"},
]
LIFE = {"queued": 2, "starting": 2, "running": 4, "steps": STEPS}


class Telling(DbtCloudHook):
    """Logs where pytest looks."""

    log = logging.getLogger("a task's log")


@pytest.fixture
def waiting(dbt_cloud, connect, caplog):
    """Waits for a run of a life; with each look the local clock goes on by a second."""
    caplog.set_level(logging.INFO)

    class Hurrying(Telling):
        def get_job_run_status(self, run_id, account_id=None):
            try:
                return super().get_job_run_status(run_id, account_id)
            finally:
                dbt_cloud.control.advance(1)

    def wait(outcome=10, *, faults=(), life=LIFE, **arguments):
        dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {**life, "outcome": outcome}}])
        hook = connect(dbt_cloud, kind=Hurrying)
        run = hook.trigger_job_run(70, "x").json()["data"]["id"]
        for fault in faults:
            dbt_cloud.control.add_fault(**fault)
        return hook.wait_for_job_run_status(run, **{"check_interval": 0, "timeout": 30, **arguments})

    return wait


def told(caplog):
    return [each.getMessage() for each in caplog.records if each.name == "a task's log"]


def test_a_run_that_succeeds_is_told_of_once_per_status_and_step(waiting, caplog):
    assert waiting() is True
    assert [line.partition(": ")[2] for line in told(caplog)] == [
        "Queued.",
        "Starting.",
        "Running.",
        "Clone git repository",
        "Invoke dbt with `dbt build`",
        "Success.",
    ]


def test_a_run_that_fails_says_so_and_which_step_failed(waiting, caplog):
    steps = [STEPS[0], {**STEPS[1], "outcome": 20}]
    with pytest.raises(DbtCloudJobRunException, match=r"Job run \d+ has failed"):
        waiting(20, life={**LIFE, "steps": steps, "message": "dbt command failed"})
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert "ended with status Error. dbt command failed" in errors[0]
    assert errors[1] == "Step 2, Invoke dbt with `dbt build`: Error"
    assert "  Database Error in model orders" in errors
    assert not any("cloned" in line for line in errors)
    assert errors[-1].startswith("See http")


def test_a_cancelled_run_is_not_said_to_have_failed(waiting):
    with pytest.raises(DbtCloudJobRunException, match=r"Job run \d+ has been cancelled"):
        waiting(30)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (20, DbtCloudJobRunStatus.TERMINAL_STATUSES.value),
        (30, {10, 30}),
        (20, [20]),
        (10, DbtCloudJobRunStatus.RUNNING.value),
        (10, (2, 3)),
    ],
)
def test_any_expected_status_ends_the_wait(waiting, outcome, expected):
    assert waiting(outcome, expected_statuses=expected) is True


def test_a_status_that_dbt_cloud_does_not_have_cannot_be_expected(hook):
    with pytest.raises(ValueError, match="7"):
        hook.wait_for_job_run_status(1, expected_statuses=[10, 7])


def test_a_timeout_says_that_the_run_goes_on(waiting):
    with pytest.raises(
        DbtCloudJobRunException,
        match="has not reached a terminal status after 0 seconds; it may still be running",
    ) as told:
        waiting(timeout=0)
    assert "The last poll found it queued" in str(told.value)
    assert "/runs/70" in str(told.value).partition(" at http")[2]


def test_a_status_code_of_the_future_is_waited_through(connect, raw_server, caplog):
    caplog.set_level(logging.INFO)
    raw_server.replies(*(answer(envelope({"id": 7, "status": status})) for status in (4, 4, 10)))
    hook = connect(host=raw_server.url, kind=Telling)
    assert hook.wait_for_job_run_status(7, check_interval=0)
    assert [line.partition(": ")[2] for line in told(caplog)] == ["status 4.", "Success."]


FAULTS = [
    {"kind": "status", "status": 500, "count": 9},
    {"kind": "status", "status": 503, "count": 9},
    {"kind": "status", "status": 408, "count": 9},
    {"kind": "status", "status": 429, "count": 9},
    {"kind": "reset", "count": 9},
    {"kind": "cut", "count": 9},
    {"kind": "html", "count": 9},
    {"kind": "redirect", "count": 9},
    {"kind": "status", "status": 401, "count": 3},
    {"kind": "status", "status": 403, "count": 3},
    {"kind": "status", "status": 404, "count": 3},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_fault_is_lived_through_and_told_once(waiting, caplog, fault):
    assert waiting(faults=[fault]) is True
    warnings = [
        each.getMessage() for each in caplog.records if each.name == "a task's log" and each.levelno > 20
    ]
    assert len(warnings) == 2
    assert "Could not poll the run; it may still be running" in warnings[0]
    assert "dbt Cloud answers again" in warnings[1]


def test_a_run_that_cannot_be_read_right_after_its_start_is_waited_for(waiting, caplog):
    assert waiting(faults=[{"kind": "not_found_after_start", "seconds": 5}]) is True
    assert sum("Could not poll the run" in line for line in told(caplog)) == 1


@pytest.fixture
def without_steps(connect, raw_server, caplog):
    """A hook for a dbt Cloud that tells these statuses in turn, and fails whenever steps are asked for."""
    caplog.set_level(logging.INFO)

    def make(*statuses):
        left = list(statuses)

        def reply(request):
            if "run_steps" in request.target:
                return refusal(500, "Not now.")
            return answer(envelope({"id": 7, "status": left.pop(0)}))

        raw_server.reply = reply
        return connect(host=raw_server.url, kind=Telling)

    return make


def test_a_fault_while_asking_why_a_run_failed_does_not_hide_that_it_did(without_steps, caplog):
    with pytest.raises(DbtCloudJobRunException, match="Job run 7 has failed"):
        without_steps(20).wait_for_job_run_status(7, check_interval=0)
    assert "Could not read the details of run 7" in caplog.text


def test_steps_that_cannot_be_read_do_not_end_the_wait(without_steps, caplog):
    assert without_steps(3, 3, 10).wait_for_job_run_status(7, check_interval=0)
    assert [line.partition(": ")[2] for line in told(caplog)] == ["Running.", "Success."]


def test_what_is_not_dbt_clouds_fault_ends_the_wait_under_its_own_name(connect, raw_server):
    hook = connect(host=raw_server.url, login=None)
    with pytest.raises(DbtCloudApiException, match="No account was named"):
        hook.wait_for_job_run_status(7, check_interval=0)
    assert raw_server.received == []


@pytest.fixture
def before_rotation(dbt_cloud, connect, monkeypatch):
    """A hook that has read its connection when that still held an old token."""
    monkeypatch.setattr(credentials, "REREAD_INTERVAL", 0.0)
    hook = connect(dbt_cloud, password="an old token")
    assert hook.connection.password == "an old token"
    assert hook._credentials.token == "an old token"
    connect(dbt_cloud)
    return hook


def test_a_token_that_was_rotated_is_picked_up_at_the_first_401(before_rotation, jobs):
    run_id = jobs.started(jobs.quick)
    assert before_rotation.wait_for_job_run_status(run_id, check_interval=0.1)
    assert [each["status"] for each in jobs.control.requests()].count(401) == 1
    assert before_rotation.connection.password != "an old token"


def test_a_run_is_started_once_with_a_token_that_was_rotated(before_rotation, jobs):
    assert before_rotation.trigger_job_run(jobs.instant, "By hand").json()["data"]["id"]
    assert len(jobs.runs()) == 1


def test_a_refused_token_does_not_make_every_poll_read_the_connection(dbt_cloud, connect, jobs):
    reads = []

    class Counting(DbtCloudHook):
        @classmethod
        def get_connection(cls, conn_id):
            reads.append(conn_id)
            return super().get_connection(conn_id)

    hook = connect(dbt_cloud, kind=Counting, password="a wrong token")
    for _ in range(3):
        with pytest.raises(DbtCloudApiException, match="401"):
            hook.get_job_run_status(7)
    assert len(reads) == 1


def test_a_connection_that_is_gone_when_read_again_leaves_the_401(before_rotation, monkeypatch):
    monkeypatch.delenv(CONNECTION_VARIABLE)
    with pytest.raises(DbtCloudApiException, match="401"):
        before_rotation.get_job_run_status(7)


RUN = answer(envelope({"id": 7, "status": 3, "href": "https://x/runs/7/"}))
HANGING = {
    "silence": silence,
    "103, then silence": lambda: chain([b"HTTP/1.1 103 Early Hints\r\n\r\n"], silence()),
    "100 without end": lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "dripping headers": lambda: dripping(RUN, start=20),
    "a dripping body": lambda: dripping(RUN, start=len(RUN) - 30, pause=0.5),
}


@pytest.mark.parametrize("case", HANGING)
def test_a_wait_ends_in_time_however_the_polls_hang(connect, raw_server, case):
    raw_server.reply = lambda _: HANGING[case]()
    hook = connect(host=raw_server.url)
    began = time.monotonic()
    with pytest.raises(DbtCloudJobRunException, match=r"has not (ended|reached)") as raised:
        hook.wait_for_job_run_status(7, check_interval=0.05, timeout=0.2)
    assert isinstance(raised.value.error, RunTimedOut)
    assert time.monotonic() - began < 1.2


def test_steps_that_hang_do_not_prolong_the_wait(connect, raw_server):
    raw_server.reply = lambda request: silence() if "run_steps" in request.target else RUN
    hook = connect(host=raw_server.url)
    began = time.monotonic()
    with pytest.raises(DbtCloudJobRunException, match="running"):
        hook.wait_for_job_run_status(7, check_interval=0.05, timeout=0.2)
    assert time.monotonic() - began < 1.2


def test_a_status_that_hangs_is_given_up_after_one_timeout(connect, raw_server):
    raw_server.reply = lambda _: silence()
    hook = connect(host=raw_server.url, extra={"timeout": 0.3})
    for poll in (hook.get_job_run_status, lambda run: asyncio.run(hook.get_job_status(run))):
        raw_server.received.clear()
        with pytest.raises(DbtCloudApiException, match=r"not complete within 0\.3 seconds"):
            poll(7)
        assert len(raw_server.received) == 1

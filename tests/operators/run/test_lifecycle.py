"""A killed task cancels its run within the seconds that it has."""

import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airflow_dbt_cloud.operators.dbt import DbtCloudJobRunException, DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run.lifecycle import _KILL_SECONDS, _cancel_within_seconds


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text, *arguments):
        self.lines.append(text % arguments)

    exception = warning


def test_a_quick_cancel_is_waited_for():
    done, log = [], Log()
    _cancel_within_seconds(lambda: done.append(1), log)
    assert (done, log.lines) == ([1], [])


def test_an_error_of_the_cancel_is_not_raised():
    log = Log()
    _cancel_within_seconds(lambda: 1 / 0, log)
    assert log.lines == ["Could not cancel the run; it may still be running."]


def test_a_hanging_cancel_is_abandoned_after_some_seconds():
    log, release = Log(), threading.Event()
    begin = time.monotonic()
    _cancel_within_seconds(release.wait, log)
    assert _KILL_SECONDS <= time.monotonic() - begin < _KILL_SECONDS + 0.5
    assert "has not confirmed within 4 s" in log.lines[0]
    release.set()


class Task:
    """An operator that executes in a thread, as a task would that is killed from outside."""

    def __init__(self, attempt=1, **arguments):
        self.operator = DbtCloudRunJobOperator(task_id="build", **{"check_interval": 0.05, **arguments})
        fields = {"dag_id": "d", "run_id": "killed", "task_id": "build", "map_index": -1, "max_tries": 2}
        ti = SimpleNamespace(**fields, try_number=attempt, xcom_push=lambda **_: None)
        start = datetime.now(UTC)
        self.context = {"ti": ti, "dag_run": SimpleNamespace(start_date=start)}
        self.outcome = None
        self.thread = threading.Thread(target=self._execute, daemon=True)

    def begin(self):
        self.thread.start()
        return self

    def _execute(self):
        try:
            self.outcome = self.operator.execute(self.context)
        except Exception as error:  # noqa: BLE001 -- a test checks it
            self.outcome = error

    def end(self):
        self.thread.join(10)
        return self.outcome


@pytest.fixture
def task_of(jobs):
    """Makes tasks, and waits at the end until all of them have ended."""
    made = []

    def make(**arguments):
        made.append(Task(**arguments))
        return made[-1]

    yield make
    jobs.control.clear_faults()
    jobs.control.advance(40_000)
    for each in made:
        if each.thread.ident is not None:
            each.thread.join(15)
            assert not each.thread.is_alive()


def until(condition, seconds=5):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def statuses(jobs):
    return [run["status"] for run in jobs.runs()]


def polls(jobs):
    return len(jobs.asked("GET", "/runs/"))


def test_a_killed_task_that_waits_cancels_its_run(task_of, jobs):
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: polls(jobs) > 1)
    task.operator.on_kill()
    assert statuses(jobs) == [30]
    assert isinstance(task.end(), DbtCloudJobRunException)


def test_a_second_kill_does_no_harm(task_of, jobs):
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: polls(jobs) > 1)
    task.operator.on_kill()
    task.operator.on_kill()
    assert statuses(jobs) == [30]
    task.end()


@pytest.mark.parametrize("acting", ["acted", "on its way"])
def test_a_run_without_a_response_yet_is_found_by_its_marker(task_of, jobs, acting):
    jobs.control.add_fault(
        "delay", seconds=2 if acting == "acted" else 1, after_acting=acting == "acted", route="*/run/"
    )
    others = jobs.control.seed(runs=[{"job_id": jobs.endless, "count": 3}])["runs"]
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: jobs.asked("POST", "/run/"))
    begin = time.monotonic()
    task.operator.on_kill()
    assert time.monotonic() - begin < _KILL_SECONDS + 0.5
    assert statuses(jobs) == [3] * len(others) + [30]
    assert "killed while it was starting a run" in str(task.end())


def test_a_request_that_outlasts_the_kill_leaves_no_run_running(task_of, jobs):
    """Airflow lets a task continue between the signal to end and the one that ends it."""
    jobs.control.add_fault("delay", seconds=1, route="*/run/")
    jobs.control.add_fault("delay", seconds=8, route="*/accounts/1/runs/", method="GET", count=1)
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: jobs.asked("POST", "/run/"))
    task.operator.on_kill()
    assert "killed while it was starting a run" in str(task.end())
    assert statuses(jobs) == [30]


def test_a_hanging_dbt_cloud_delays_the_kill_by_some_seconds_only(task_of, jobs):
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: polls(jobs) > 1)
    jobs.control.add_fault("delay", seconds=7)
    begin = time.monotonic()
    task.operator.on_kill()
    assert time.monotonic() - begin < _KILL_SECONDS + 0.5


def test_a_dbt_cloud_that_refuses_does_not_make_the_kill_fail(task_of, jobs):
    task = task_of(job_id=jobs.endless).begin()
    until(lambda: polls(jobs) > 1)
    jobs.control.add_fault("status", status=403, route="*/cancel/")
    task.operator.on_kill()
    assert statuses(jobs) == [3]


OFTEN_REFUSED = {"route": "*/cancel/", "status": 503, "count": 6}
QUICK_RETRIES = {"retry_delay": 0.01}


def test_a_kill_does_not_repeat_the_cancel_for_minutes(task_of, jobs):
    """It has only some seconds, which the usual four attempts would exceed."""
    task = task_of(job_id=jobs.endless, hook_params=QUICK_RETRIES).begin()
    until(lambda: polls(jobs) > 1)
    jobs.control.add_fault("status", **OFTEN_REFUSED)
    task.operator.on_kill()
    assert len(jobs.asked("POST", "/cancel/")) == 4
    assert statuses(jobs) == [3]


def test_a_timeout_repeats_the_cancel_until_dbt_cloud_takes_it(task_of, jobs):
    jobs.control.add_fault("status", **OFTEN_REFUSED)
    task = task_of(job_id=jobs.endless, timeout=0.2, cancel_on_timeout=True, hook_params=QUICK_RETRIES)
    assert "has not reached a terminal status" in str(task.begin().end())
    assert len(jobs.asked("POST", "/cancel/")) == 7
    assert statuses(jobs) == [30]


def test_a_run_that_was_only_attached_to_is_not_cancelled(task_of, jobs):
    jobs.started(jobs.endless)
    task = task_of(job_id=jobs.endless, if_running="attach").begin()
    until(lambda: polls(jobs) > 2)
    task.operator.on_kill()
    assert statuses(jobs) == [3]
    assert jobs.asked("POST", "/cancel/") == []


def test_a_killed_retry_cancels_the_adopted_run_and_starts_no_other(task_of, jobs):
    first = task_of(job_id=jobs.endless, timeout=0.2).begin()
    assert "it may still be running" in str(first.end())
    second = task_of(attempt=2, job_id=jobs.endless)
    second.context["dag_run"] = first.context["dag_run"]
    second.begin()
    before = polls(jobs)
    until(lambda: polls(jobs) > before + 2)
    second.operator.on_kill()
    assert "has been cancelled" in str(second.end())
    assert statuses(jobs) == [30]


def test_a_task_killed_before_its_first_request_sends_none(task_of, jobs):
    task = task_of(job_id=jobs.endless)
    task.operator._starter = task.operator._make_starter(task.context)
    begin = time.monotonic()
    task.operator.on_kill()
    assert time.monotonic() - begin < 1
    assert jobs.control.requests() == []


def test_a_killed_operator_can_be_executed_again(task_of, jobs):
    """As `dag.test()` uses it for the next try."""
    task = task_of(job_id=jobs.instant)
    task.operator.on_kill()
    assert task.begin().end() == jobs.runs()[0]["id"]

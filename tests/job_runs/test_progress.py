"""What is told of a run while it goes on, and what that costs in a triggerer."""

import logging
import math
from contextlib import ExitStack

import pytest

from airflow_dbt_cloud.job_runs.progress import ProgressLog, StepPolls
from dbtcloud.client.models import Run, Step
from dbtcloud.client.run_status import RunStatus

log = logging.getLogger("progress")


@pytest.fixture
def progress(caplog):
    caplog.set_level(logging.DEBUG, logger="progress")
    return ProgressLog(7, log)


def test_a_status_is_told_when_it_changes(progress, caplog):
    assert [progress.log_status(status) for status in (1, 1, 3, 3, 99)] == [True, False, True, False, True]
    assert caplog.messages == [f"dbt Cloud run 7: {word}." for word in ("Queued", "Running", "status 99")]


def run_of(*names):
    return Run(7, RunStatus.RUNNING, steps=tuple(Step(index, name, 3) for index, name in enumerate(names, 1)))


def test_each_step_is_told_once(progress, caplog):
    progress.log_steps(lambda: run_of("Clone"))
    progress.log_steps(lambda: run_of("Clone", "dbt build"))
    assert caplog.messages == ["dbt Cloud run 7, step 1: Clone", "dbt Cloud run 7, step 2: dbt build"]


def test_steps_that_cannot_be_read_disturb_nobody(progress, caplog):
    def broken():
        raise ConnectionResetError("gone")

    progress.log_steps(broken)
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_steps_are_looked_at_on_entering_running_and_then_once_a_minute():
    clock = Clock()
    looks = StepPolls(clock)
    seen = []
    for status, seconds in [(1, 0), (3, 10), (3, 30), (3, 69), (3, 70), (3, 75), (10, 200)]:
        clock.now = 1000.0 + seconds
        seen.append(looks.due(status))
    assert seen == [False, True, False, False, True, False, False]


def test_steps_are_not_looked_at_while_many_runs_are_watched():
    looks = StepPolls(Clock())
    with ExitStack() as watched:
        for _ in range(51):
            watched.enter_context(StepPolls.count_run())
        assert not looks.due(RunStatus.RUNNING)
        assert looks.wait(RunStatus.RUNNING) == math.inf
    assert looks.due(RunStatus.RUNNING)

"""Who marks a task as failed, or lets its time run out, also ends its dbt run; nothing else does."""

import time

import pytest

from real_airflow.releases import newest_only, retried_after_a_crash

SECONDS = 30.0
"""What a cancellation may take: a triggerer asks Airflow for the first time, which imports all of its API."""


@pytest.mark.parametrize("dag_id", [pytest.param("on_worker", marks=newest_only), "in_triggerer"])
def test_a_task_that_is_marked_failed_ends_its_run_within_seconds(build, job, dag_id):
    task = build(dag_id)
    task.dbt_run() if dag_id == "on_worker" else task.watched()
    task.mark("failed")
    job.wait_for_ends("cancelled", timeout=SECONDS)
    assert task.end().state == "failed"
    assert job.ends() == ["cancelled"]


@retried_after_a_crash
def test_a_retry_that_is_killed_ends_the_run_it_went_on_with_and_starts_none(build, job):
    task = build("on_worker")
    task.dbt_run()
    task.crash()
    task.dbt_run(try_number=2)
    task.mark("failed")
    job.wait_for_ends("cancelled", timeout=SECONDS)
    task.wait_for_exit()
    assert job.ends() == ["cancelled"]


@newest_only
def test_an_execution_timeout_ends_the_run_of_a_deferred_task_in_time(build, job):
    task = build("out_of_execution_time")
    began = time.monotonic()
    outcome = task.end()
    assert outcome.state == "failed", outcome.story()
    assert job.ends() == ["cancelled"]
    assert "has exceeded the task's execution timeout" in outcome.log("build")
    assert time.monotonic() - began < 60


@newest_only
def test_a_timeout_of_a_deferred_task_ends_the_wait_and_leaves_the_run(build, job):
    task = build("out_of_time")
    outcome = task.end()
    assert outcome.state == "failed", outcome.story()
    assert job.ends() == ["going"]
    assert "has not ended within the timeout and is still running" in outcome.log("build")

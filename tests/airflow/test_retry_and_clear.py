"""Whatever is cleared, killed or retried, one dbt run is the task's in the end and none goes on unseen."""

import pytest

from real_airflow.releases import newest_only, retried_after_a_crash


def ends_with_one_new_run(task, job):
    job.wait_for_ends("cancelled", "going")
    job.finish()
    outcome = task.end()
    assert outcome.state == "success", outcome.story()
    assert job.ends() == ["cancelled", "success"]
    assert outcome.xcom("build") == job.runs()[1].id
    return outcome


@retried_after_a_crash
def test_a_task_whose_process_is_killed_goes_on_with_its_run_in_the_next_try(build, job):
    task = build("on_worker")
    first = task.dbt_run()
    task.crash()
    assert task.dbt_run(try_number=2) == first
    job.finish()
    outcome = task.end()
    assert outcome.state == "success", outcome.story()
    assert job.ends() == ["success"]
    assert outcome.xcom("build") == first
    assert f"Adopting run {first}: try 1 of this task started it, and it is still running" in outcome.log(
        "build"
    )


@retried_after_a_crash
def test_a_clear_of_a_task_that_is_up_for_retry_ends_the_killed_tries_run_and_starts_one(build, job):
    task = build("on_worker_with_a_late_retry")
    task.dbt_run()
    task.crash()
    task.wait_for("up_for_retry")
    assert job.ends() == ["going"]
    task.clear()
    ends_with_one_new_run(task, job)


@newest_only
def test_a_clear_of_a_task_that_waits_on_the_worker_ends_its_run_and_starts_one(build, job):
    task = build("on_worker")
    task.dbt_run()
    task.clear()
    ends_with_one_new_run(task, job)


def test_a_clear_of_a_deferred_task_ends_its_run_and_starts_one(build, job):
    task = build("in_triggerer")
    task.watched()
    task.clear()
    task.watched(try_number=2)
    ends_with_one_new_run(task, job)


@newest_only
def test_a_clear_after_mark_success_starts_a_run_and_leaves_none_going(build, job):
    task = build("in_triggerer")
    task.watched()
    task.mark("success")
    assert task.end().state == "success"
    job.wait_for_ends("cancelled")
    task.clear()
    ends_with_one_new_run(task, job)


@newest_only
def test_a_clear_of_a_finished_dag_run_ends_the_run_that_a_timeout_had_left_going(build, job):
    task = build("out_of_time")
    assert task.end().state == "failed"
    assert job.ends() == ["going"]
    task.clear()
    ends_with_one_new_run(task, job)


@retried_after_a_crash
@pytest.mark.parametrize("dag_id", ["on_worker_after_a_crash", "in_triggerer_after_a_crash"])
def test_a_run_that_a_retry_goes_on_with_and_that_is_cancelled_then_is_replaced_by_one(build, job, dag_id):
    task = build(dag_id)
    adopted = task.dbt_run(try_number=2)
    assert job.ends() == ["going"]
    job.cancel(adopted)
    outcome = ends_with_one_new_run(task, job)
    assert f"Run {adopted} of an earlier try was cancelled; starting a new one" in outcome.log("build")

"""The Airflow that other tests rely on really schedules, defers and remembers."""


def test_a_deferrable_task_is_deferred_and_resumed_and_its_log_and_xcoms_can_be_read(airflow):
    run = airflow.trigger("waits")
    outcome = airflow.wait(run, timeout=90)
    assert outcome.state == "success"
    assert outcome.deferred("later")
    assert not outcome.deferred("finish")
    assert outcome.xcom("finish") == {"then": outcome.xcom("start")}
    assert f"It is later than {outcome.xcom('start')}" in outcome.log("finish")


def test_a_deferred_task_that_is_marked_failed_ends_the_run_and_a_clear_revives_it(airflow):
    run = airflow.trigger("waits")
    airflow.wait_for(run, "later", {"deferred"})
    airflow.mark_failed(run, "later")
    assert airflow.wait(run).state == "failed"
    airflow.clear(run)
    outcome = airflow.wait(run)
    assert outcome.state == "success"
    assert outcome.task("later").try_number == 2

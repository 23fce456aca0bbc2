"""A DAG of standard operators, one of them deferred: it shows that the tests' Airflow itself is sound."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import dag, task

# The first look of a trigger less than about six seconds after deferral can fail spuriously in Airflow 3.3.
AFTER = timedelta(seconds=8)


@dag(schedule=None)
def waits():
    @task
    def start():
        return (datetime.now(UTC) + AFTER).isoformat()

    @task
    def finish(then):
        print("It is later than", then)  # noqa: T201 - a task's standard output goes to its log
        return {"then": then}

    then = start()
    later = DateTimeSensorAsync(task_id="later", target_time="{{ ti.xcom_pull('start') }}")
    then >> later >> finish(then)


waits()

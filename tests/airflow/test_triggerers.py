"""Deferred tasks pass from a triggerer that ends to another one, and their dbt runs go on."""

import os

import pytest

from real_airflow import RealAirflow, Run
from real_airflow.releases import lowest_only, newest_only
from waiting import until

COUNT = int(os.environ.get("DEFERRED_RUNS", "6"))
"""How many runs are deferred where a triggerer is killed; 200 are a fair rehearsal."""


def watchers(airflow: RealAirflow, run: Run) -> list[int | None]:
    """Ids of the triggerers that the deferred tasks of a run are with."""
    jobs = [one.raw["triggerer_job"] for one in airflow.task_instances(run) if one.state == "deferred"]
    return [found and found["id"] for found in jobs]


def wait_for_watcher(airflow: RealAirflow, run: Run, count: int, *, other_than: int | None = None) -> int:
    """Wait until all tasks are with one triggerer, and give its id."""

    def look() -> int | None:
        found = watchers(airflow, run)
        one = set(found) - {None, other_than}
        return one.pop() if len(found) == count and len(set(found)) == 1 and one else None

    return until(
        look,
        timeout=60 + 8 * count,
        what=lambda: f"{count} tasks with one triggerer: {watchers(airflow, run)}",
    )


@pytest.fixture
def end_triggerer(airflow):
    """End the triggerer by one of its methods, and let another one be in its place."""

    def end(way: str) -> None:
        first = airflow.processes.pop("triggerer")
        airflow.start("triggerer", "--skip-serve-logs", name="triggerer-2")
        getattr(first, way)()

    yield end
    if second := airflow.processes.pop("triggerer-2", None):
        airflow.start("triggerer")
        second.stop()


@pytest.mark.parametrize(
    ("way", "count"),
    [pytest.param("stop", 3, marks=lowest_only), pytest.param("kill", COUNT, marks=newest_only)],
)
def test_deferred_runs_survive_the_end_of_their_triggerer(airflow, job, end_triggerer, way, count):
    run = airflow.trigger("many", {"job_id": job.id, "count": count})
    first = wait_for_watcher(airflow, run, count)
    end_triggerer(way)
    wait_for_watcher(airflow, run, count, other_than=first)
    assert job.ends() == ["going"] * count
    job.finish()
    outcome = airflow.wait(run, timeout=60 + 8 * count)
    assert outcome.state == "success", outcome.story()
    assert job.ends() == ["success"] * count
    results = [outcome.xcom("build", map_index=one.map_index) for one in outcome.of("build")]
    assert sorted(results) == sorted(run.id for run in job.runs())

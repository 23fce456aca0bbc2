"""Who a task is: the same for each of its tries, another for everything else."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, task

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run.task_state import TaskState
from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker

START = datetime(2026, 3, 1, 4, 0, 0, 1, tzinfo=UTC)


def context(start=START, **fields):
    ti = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "max_tries": 2, "try_number": 1}
    return {"ti": SimpleNamespace(**{**ti, **fields}), "dag_run": SimpleNamespace(start_date=start)}


def dag_run_start(place):
    return TaskState(place).dag_run_start


def mark_of(place, job_id):
    return TaskState(place).make_marker(job_id, {})


def test_tries_differ_only_in_their_number():
    first, second = (mark_of(context(try_number=n), 50) for n in (1, 2))
    assert (first.task, first.generation, first.payload) == (second.task, second.generation, second.payload)
    assert (first.attempt, second.attempt) == (1, 2)


def test_a_clear_shows_in_the_generation():
    assert mark_of(context(max_tries=3), 50).generation == 3


@pytest.mark.parametrize(
    "other",
    [
        {"dag_id": "other"},
        {"run_id": "other"},
        {"task_id": "other"},
        {"map_index": 1},
        {"start": START.replace(microsecond=2)},
    ],
    ids=str,
)
def test_another_task_or_deployment_or_dag_run_of_the_same_name_is_another(other):
    assert mark_of(context(**other), 50).task != mark_of(context(), 50).task


def test_equal_starts_within_a_try_are_counted():
    place = context(run_id="counted")
    marks = [mark_of(place, 50), mark_of(place, 50), mark_of(place, 51)]
    assert [mark.payload[5:] for mark in marks] == ["0", "1", "0"]
    assert len(set(marks)) == 3


@pytest.mark.parametrize("strange", [{}, {"ti": object()}, {"ti": SimpleNamespace(dag_id="d")}])
def test_a_context_of_ones_own_making_gets_a_random_mark(strange):
    assert mark_of(strange, 50) != mark_of(strange, 50)


def test_the_start_of_the_dag_run_is_known_where_there_is_one():
    assert dag_run_start(context()) == START
    assert dag_run_start({}) is None
    assert dag_run_start(context(start=None)) is None


def marks(jobs):
    return [Marker.find(trigger["cause"]) for trigger in jobs.triggers()]


def test_two_dag_runs_of_one_date_start_runs_with_different_marks(run_dag, jobs):
    """As `airflow dags test` makes them: each takes the place of the last, under the same name."""
    with DAG("tested", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="build", job_id=jobs.instant)
    for _ in range(2):
        assert run_dag(dag, logical_date=START).state == "success"
    one, other = marks(jobs)
    assert one != other


def test_two_calls_in_one_task_start_two_runs(run_dag, jobs):
    @task
    def twice(**context):
        operator = DbtCloudRunJobOperator(task_id="inner", job_id=jobs.instant)
        return [operator.execute(context), operator.execute(context)]

    with DAG("calls_twice", schedule=None) as dag:
        twice()
    outcome = run_dag(dag)
    assert outcome.xcoms("twice")["return_value"] == [run["id"] for run in jobs.runs()]
    assert len(set(marks(jobs))) == 2


def test_mapped_tasks_start_runs_with_different_marks(run_dag, jobs):
    with DAG("maps", schedule=None) as dag:
        DbtCloudRunJobOperator.partial(task_id="build").expand(job_id=[jobs.instant, jobs.instant])
    run_dag(dag)
    assert len({mark.task for mark in marks(jobs)}) == 2


@pytest.mark.parametrize("given", ["trigger_reason", "cause"])
@pytest.mark.parametrize("length", [5, 230, 400])
def test_every_cause_is_sent_whole_or_cut_with_its_mark_behind_it(build, jobs, given, length):
    text = "x" * length
    how = (
        {"trigger_reason": text} if given == "trigger_reason" else {"additional_run_config": {"cause": text}}
    )
    build(job_id=jobs.instant, **how)
    (cause,) = (trigger["cause"] for trigger in jobs.triggers())
    assert Marker.find(cause) is not None
    assert len(cause) <= CAUSE_MAX_LENGTH
    assert cause.startswith(text[:200])

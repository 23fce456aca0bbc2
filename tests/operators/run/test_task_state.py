"""The marker of a task: the same for each of its tries, and a different one for everything else."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from airflow.sdk import DAG, task
from pydantic import BaseModel

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run.task_state import TaskState
from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker

START = datetime(2026, 3, 1, 4, 0, 0, 1, tzinfo=UTC)


def context(start=START, **fields):
    ti = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "max_tries": 2, "try_number": 1}
    return {"ti": SimpleNamespace(**{**ti, **fields}), "dag_run": SimpleNamespace(start_date=start)}


def dag_run_start(place):
    return TaskState(place).dag_run_start


def marker_of(place, job_id):
    return TaskState(place).make_marker(job_id, {})


def test_tries_differ_only_in_their_number():
    first, second = (marker_of(context(try_number=n), 50) for n in (1, 2))
    assert (first.task, first.generation, first.payload) == (second.task, second.generation, second.payload)
    assert (first.attempt, second.attempt) == (1, 2)


def test_a_clear_shows_in_the_generation():
    assert marker_of(context(max_tries=3), 50).generation == 3


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
def test_each_task_deployment_and_dag_run_has_its_own_marker(other):
    assert marker_of(context(**other), 50).task != marker_of(context(), 50).task


REGION, OTHER_REGION = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    "iteration",
    [
        {"region_id": REGION, "region_index": 0},
        {"region_id": REGION, "region_index": 1},
        {"region_id": OTHER_REGION, "region_index": 1},
        {"loop_index": 1},
        {"loop_iteration": 1},
        {"iteration": 1},
    ],
    ids=str,
)
def test_each_iteration_of_a_loop_has_its_own_marker_for_all_its_tries(iteration):
    """Airflow 3.4 gives them one map index, and tells them apart by their region."""
    first, second = (marker_of(context(try_number=n, **iteration), 50) for n in (1, 2))
    assert first.task == second.task
    others = [{"region_id": REGION, "region_index": 2}, {"region_id": REGION, "region_index": -1}, {}]
    assert first.task not in {marker_of(context(**other), 50).task for other in others}


@pytest.mark.parametrize(
    "nowhere",
    [
        {"region_id": UUID(int=0), "region_index": -1},
        {"region_id": None, "region_index": None},
        {"map_index": 3, "region_id": UUID(int=0), "region_index": 3},
    ],
    ids=str,
)
def test_outside_loops_the_marker_is_that_of_earlier_airflow(nowhere):
    """A task may be retried after Airflow was upgraded to 3.4."""
    before = context(map_index=nowhere.get("map_index", -1))
    assert marker_of(context(**nowhere), 50).task == marker_of(before, 50).task


def test_the_marker_of_airflows_own_task_instance_holds_its_region():
    class TaskInstance(BaseModel):
        """As Airflow 3.4 has it."""

        task_id: str = "t"
        dag_id: str = "d"
        run_id: str = "r"
        try_number: int = 1
        max_tries: int = 2
        map_index: int = -1
        region_id: UUID
        region_index: int

    places = [{**context(), "ti": TaskInstance(region_id=REGION, region_index=index)} for index in (0, 1)]
    assert len({marker_of(place, 50).task for place in places}) == 2


def test_equal_starts_in_one_try_are_numbered():
    place = context(run_id="counted")
    markers = [marker_of(place, 50), marker_of(place, 50), marker_of(place, 51)]
    assert [marker.payload[5:] for marker in markers] == ["0", "1", "0"]
    assert len(set(markers)) == 3


@pytest.mark.parametrize("strange", [{}, {"ti": object()}, {"ti": SimpleNamespace(dag_id="d")}])
def test_a_context_without_a_task_instance_gets_a_random_marker(strange):
    assert marker_of(strange, 50) != marker_of(strange, 50)


def test_the_start_of_the_dag_run_is_none_without_a_start_date():
    assert dag_run_start(context()) == START
    assert dag_run_start({}) is None
    assert dag_run_start(context(start=None)) is None


def markers(jobs):
    return [Marker.find(trigger["cause"]) for trigger in jobs.triggers()]


class Store(dict):
    """Airflow's store of a task's state."""

    set = dict.__setitem__
    delete = dict.pop


@pytest.mark.parametrize("discards", [False, True], ids=["Airflow 3.3", "Airflow 3.4"])
@pytest.mark.parametrize("job", ["endless", "instant"])
def test_a_clear_runs_the_job_again_whether_or_not_it_discards_the_stored_state(jobs, job, discards):
    """A clear raises `max_tries`. From Airflow 3.4 on, it discards what the task has stored."""
    store, job_id = Store(), getattr(jobs, job)

    def run(**fields):
        operator = DbtCloudRunJobOperator(
            task_id="build", job_id=job_id, retries=2, wait_for_termination=False
        )
        place = context(run_id=f"cleared {job} {discards}", **fields)
        place["ti"].xcom_push = lambda **_: None
        return operator.execute({**place, "task_state_store": store})

    first = run()
    assert run(try_number=2) == first
    if discards:
        store.clear()
    second = run(try_number=3, max_tries=4)
    assert [each["id"] for each in jobs.runs()] == [first, second]
    assert jobs.runs()[0]["status"] == (30 if job == "endless" else 10)
    assert run(try_number=4, max_tries=4) == second


def test_two_dag_runs_of_one_date_start_runs_with_different_markers(run_dag, jobs):
    """As `airflow dags test` makes them: each replaces the last one, under the same name."""
    with DAG("tested", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="build", job_id=jobs.instant)
    for _ in range(2):
        assert run_dag(dag, logical_date=START).state == "success"
    one, other = markers(jobs)
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
    assert len(set(markers(jobs))) == 2


def test_mapped_tasks_start_runs_with_different_markers(run_dag, jobs):
    with DAG("maps", schedule=None) as dag:
        DbtCloudRunJobOperator.partial(task_id="build").expand(job_id=[jobs.instant, jobs.instant])
    run_dag(dag)
    assert len({marker.task for marker in markers(jobs)}) == 2


@pytest.mark.parametrize("given", ["trigger_reason", "cause"])
@pytest.mark.parametrize("length", [5, 230, 400])
def test_every_cause_ends_in_its_marker_and_is_cut_where_too_long(build, jobs, given, length):
    text = "x" * length
    how = (
        {"trigger_reason": text} if given == "trigger_reason" else {"additional_run_config": {"cause": text}}
    )
    build(job_id=jobs.instant, **how)
    (cause,) = (trigger["cause"] for trigger in jobs.triggers())
    assert Marker.find(cause) is not None
    assert len(cause) <= CAUSE_MAX_LENGTH
    assert cause.startswith(text[:200])

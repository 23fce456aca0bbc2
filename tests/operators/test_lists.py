"""The operators that list jobs and runs."""

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudListJobRunsOperator, DbtCloudListJobsOperator


@pytest.fixture
def listed(run_dag, jobs):
    def run(operator, **arguments):
        with DAG("lists", schedule=None) as dag:
            operator(task_id="list", **arguments)
        outcome = run_dag(dag)
        assert outcome.state == "success"
        return outcome.xcoms("list").get("return_value")

    return run


def test_jobs_come_as_their_ids_in_the_order_asked_for(listed):
    assert listed(DbtCloudListJobsOperator, order_by="-id")[:3] == [54, 53, 52]


def test_jobs_of_one_project_are_a_choice(listed, jobs):
    jobs.control.seed(
        projects=[{"id": 9, "name": "Other"}],
        environments=[{"id": 9, "name": "Elsewhere", "project_id": 9}],
        jobs=[{"id": 90, "name": "Alone", "project_id": 9, "environment_id": 9, "pretend": {}}],
    )
    assert listed(DbtCloudListJobsOperator, project_id="{{ 9 }}", account_id="1") == [90]


def test_jobs_beyond_a_page_come_too(listed, jobs):
    jobs.control.seed(jobs=[{"id": 1000 + n, "name": f"Job {n}", "pretend": {}} for n in range(130)])
    assert len(listed(DbtCloudListJobsOperator)) == 130 + 11


@pytest.fixture
def runs(jobs):
    """Ids of an older success, a failure and a success of one job, oldest first, and a run of another."""
    jobs.control.seed(
        runs=[
            {"job_id": 50, "age": 300, "pretend": {"outcome": 10}},
            {"job_id": 50, "age": 200, "pretend": {"outcome": 20}},
            {"job_id": 50, "age": 100, "pretend": {"outcome": 10}},
            {"job_id": 54, "age": 50},
        ]
    )
    return [run["id"] for run in jobs.runs()]


def ids(found):
    return [run["id"] for run in found]


def test_runs_come_as_dbt_cloud_describes_them(listed, runs):
    found = listed(DbtCloudListJobRunsOperator, include_related=["job"], order_by="-id")
    assert ids(found) == runs[::-1]
    assert found[0]["job"]["name"] == "Instant"


def test_runs_of_one_job_are_a_choice(listed, runs):
    assert ids(listed(DbtCloudListJobRunsOperator, job_id="{{ 50 }}", order_by="id")) == runs[:3]


def test_a_job_that_a_template_left_empty_is_not_given(listed, runs):
    assert ids(listed(DbtCloudListJobRunsOperator, job_id="{{ none }}", order_by="id")) == runs


@pytest.mark.parametrize(("wanted", "places"), [(20, [1]), ([10], [0, 2, 3]), ([20, 30], [1]), ([30], [])])
def test_runs_can_be_narrowed_to_statuses(listed, runs, wanted, places):
    found = listed(DbtCloudListJobRunsOperator, status_filter=wanted, order_by="id")
    assert ids(found) == [runs[place] for place in places]


def test_the_latest_run_comes_alone(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True)["id"] == runs[3]
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=50)["id"] == runs[2]


def test_the_latest_run_of_a_status_comes_alone(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=50, status_filter=20)["id"] == runs[1]


def test_where_there_is_no_latest_run_there_is_none(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=51) is None


def test_the_latest_of_many_runs_takes_one_small_request(listed, jobs):
    jobs.control.seed(runs=[{"job_id": 54, "count": 350, "every": 1, "age": 1000}])
    jobs.control.clear_requests()
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=54)["id"]
    assert len(jobs.asked("GET", "/runs/")) == 1

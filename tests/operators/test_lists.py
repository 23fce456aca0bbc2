"""The operators that list jobs and runs."""

import json

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators.dbt import DbtCloudListJobRunsOperator, DbtCloudListJobsOperator


@pytest.fixture
def run_list(run_dag, jobs):
    """Runs an operator by the name of `list`."""

    def run(operator, **arguments):
        with DAG("lists", schedule=None) as dag:
            operator(task_id="list", **arguments)
        return run_dag(dag)

    return run


@pytest.fixture
def listed(run_list):
    """What an operator returns."""

    def run(operator, **arguments):
        outcome = run_list(operator, **arguments)
        assert outcome.state == "success"
        return outcome.xcoms("list").get("return_value")

    return run


def test_job_ids_are_returned_in_the_requested_order(listed):
    assert listed(DbtCloudListJobsOperator, order_by="-id")[:3] == [54, 53, 52]


def test_jobs_can_be_narrowed_to_one_project(listed, jobs):
    jobs.control.seed(
        projects=[{"id": 9, "name": "Other"}],
        environments=[{"id": 9, "name": "Elsewhere", "project_id": 9}],
        jobs=[{"id": 90, "name": "Alone", "project_id": 9, "environment_id": 9, "pretend": {}}],
    )
    assert listed(DbtCloudListJobsOperator, project_id="{{ 9 }}", account_id="1") == [90]


def test_jobs_of_all_pages_are_returned(listed, jobs):
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


def test_runs_are_returned_as_dbt_cloud_describes_them(listed, runs):
    found = listed(DbtCloudListJobRunsOperator, include_related=["job"], order_by="-id")
    assert ids(found) == runs[::-1]
    assert found[0]["job"]["name"] == "Instant"


def test_runs_can_be_narrowed_to_one_job(listed, runs):
    assert ids(listed(DbtCloudListJobRunsOperator, job_id="{{ 50 }}", order_by="id")) == runs[:3]


def test_an_empty_job_id_narrows_nothing(listed, runs):
    assert ids(listed(DbtCloudListJobRunsOperator, job_id="{{ none }}", order_by="id")) == runs


@pytest.mark.parametrize(("wanted", "places"), [(20, [1]), ([10], [0, 2, 3]), ([20, 30], [1]), ([30], [])])
def test_runs_can_be_narrowed_to_statuses(listed, runs, wanted, places):
    found = listed(DbtCloudListJobRunsOperator, status_filter=wanted, order_by="id")
    assert ids(found) == [runs[place] for place in places]


def test_latest_only_returns_one_run(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True)["id"] == runs[3]
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=50)["id"] == runs[2]


def test_latest_only_with_a_status_returns_one_run(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=50, status_filter=20)["id"] == runs[1]


def test_latest_only_returns_none_where_there_is_no_run(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=51) is None


def test_the_latest_of_many_runs_takes_one_small_request(listed, jobs):
    jobs.control.seed(runs=[{"job_id": 54, "count": 350, "every": 1, "age": 1000}])
    jobs.control.clear_requests()
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, job_id=54)["id"]
    assert len(jobs.asked("GET", "/runs/")) == 1


def test_dbt_cloud_itself_filters_by_status(listed, runs, jobs):
    jobs.control.clear_requests()
    listed(DbtCloudListJobRunsOperator, status_filter=[20, 30])
    (asked,) = jobs.asked("GET", "/runs/")
    assert "status__in=%5B20%2C30%5D" in asked["target"]


def test_jobs_can_be_narrowed_by_environment_and_name(listed, jobs):
    assert listed(DbtCloudListJobsOperator, name_contains="BUILD", environment_id="{{ 2 }}") == [6]
    assert listed(DbtCloudListJobsOperator, order_by="-id", limit="{{ 2 }}") == [54, 53]


@pytest.fixture
def many(jobs):
    """Seeds 1,250 runs of one job."""
    jobs.control.seed(runs=[{"job_id": 54, "count": 1250, "every": 1, "age": 5000}])
    jobs.control.clear_requests()


@pytest.mark.parametrize(("limit", "pages"), [(7, 1), (100, 1), (230, 3)])
def test_no_more_runs_are_requested_than_the_limit(run_list, many, jobs, limit, pages):
    outcome = run_list(DbtCloudListJobRunsOperator, limit=limit, order_by="-id")
    found = ids(outcome.xcoms("list")["return_value"])
    assert found == sorted(found, reverse=True)
    assert (len(found), len(jobs.asked("GET", "/runs/"))) == (limit, pages)


def test_without_a_limit_runs_fill_a_megabyte_and_the_rest_is_counted(run_list, many):
    outcome = run_list(DbtCloudListJobRunsOperator, order_by="id")
    returned = outcome.xcoms("list")["return_value"]
    assert 900_000 < len(json.dumps(returned)) <= 1_000_000
    left_out = 1250 - len(returned)
    assert outcome.xcoms("list")["left_out"] == {
        "total": 1250,
        "returned": len(returned),
        "left_out": left_out,
    }
    assert f"Found 1250 runs; {left_out} are left out." in outcome.log


def test_with_few_fields_all_runs_fit(run_list, many):
    outcome = run_list(DbtCloudListJobRunsOperator, fields=["id", "status"], order_by="id")
    returned = outcome.xcoms("list")["return_value"]
    assert len({run["id"] for run in returned}) == 1250
    assert set(returned[0]) == {"id", "status"}
    assert "left_out" not in outcome.xcoms("list")
    assert "Found 1250 runs." in outcome.log


def test_the_latest_run_can_be_cut_to_fields_too(listed, runs):
    assert listed(DbtCloudListJobRunsOperator, latest_only=True, fields=["id"]) == {"id": runs[3]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fields": ["id", "colour"]}, "Runs have no field 'colour'. They have id, "),
        ({"limit": 0}, "limit is 0. It has to be 1 or more"),
        ({"limit": "many"}, "limit is 'many'. It has to be a whole number"),
        ({"status_filter": "red"}, "status_filter is 'red'"),
    ],
)
def test_invalid_arguments_fail_the_task_with_a_clear_message(run_list, runs, arguments, words):
    outcome = run_list(DbtCloudListJobRunsOperator, **arguments)
    assert outcome.state == "failed"
    assert words in outcome.log


def test_a_replaced_hook_may_return_pages(run_dag, runs, monkeypatch):
    class Own(DbtCloudHook):
        def list_job_runs(self, account_id=None, **_):
            return super().list_job_runs(account_id, order_by="id")

    monkeypatch.setattr("airflow_dbt_cloud.operators.dbt.DbtCloudHook", Own, raising=False)
    with DAG("lists", schedule=None) as dag:
        DbtCloudListJobRunsOperator(task_id="list")
    assert ids(run_dag(dag).xcoms("list")["return_value"]) == runs

"""What Airflow 3.3 makes of a failure by the policy: a retry where it can help, and when."""

from datetime import timedelta

import pytest

pytest.importorskip("airflow.sdk.definitions.retry_policy", reason="Airflow 3.3 brings retry policies")

from airflow.sdk import DAG
from airflow.sdk.definitions.retry_policy import RetryAction

from airflow_dbt_cloud.exceptions import airflow_exception
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.retry_policy import DBT_CLOUD_RETRY_POLICY, DbtCloudRetryPolicy
from dbtcloud.client.errors import (
    AmbiguousStart,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidArgument,
    LookupFailed,
    NotFound,
    RateLimited,
    RunFailed,
    ServerError,
    TransportError,
    Unauthorized,
    Unprocessable,
)

REFUSALS = (BadRequest, Forbidden, NotFound, Unauthorized, Unprocessable)
HOPELESS = [
    *(kind(400, "GET", "/") for kind in REFUSALS),
    LookupFailed("job", "Nightly", 0),
    InvalidArgument("x"),
]
HOPEFUL = [
    ServerError(500, "GET", "/"),
    Conflict(409, "GET", "/"),
    TransportError("x", sent=True),
    AmbiguousStart("[af:x]"),
    RunFailed(7, 20),
    RateLimited(429, "GET", "/"),
]


def decided(error):
    return DBT_CLOUD_RETRY_POLICY.evaluate(airflow_exception(error), 1, 3)


@pytest.mark.parametrize("error", HOPELESS, ids=lambda error: type(error).__name__)
def test_what_a_retry_cannot_mend_fails_at_once_and_says_why(error):
    decision = decided(error)
    assert decision.action is RetryAction.FAIL
    assert decision.reason == str(error)


@pytest.mark.parametrize("error", HOPEFUL, ids=lambda error: type(error).__name__)
def test_anything_else_is_left_to_airflow(error):
    assert decided(error).action is RetryAction.DEFAULT


def test_an_exception_of_ones_own_is_judged_by_what_it_was_raised_from():
    own = ValueError("No mart today.")
    own.__cause__ = airflow_exception(NotFound(404, "GET", "/"))
    assert DBT_CLOUD_RETRY_POLICY.evaluate(own, 1, 3).action is RetryAction.FAIL


def test_a_429_says_when_to_come_again():
    decision = decided(RateLimited(429, "GET", "/", retry_after=300))
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(seconds=300)


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_an_error_that_is_not_dbt_clouds_is_left_to_airflow(error):
    assert DBT_CLOUD_RETRY_POLICY.evaluate(error, 1, 3).action is RetryAction.DEFAULT


def test_it_goes_to_the_scheduler_and_back():
    there = DBT_CLOUD_RETRY_POLICY.serialize()
    assert isinstance(DbtCloudRetryPolicy.deserialize(there), DbtCloudRetryPolicy)


@pytest.fixture
def build(run_dag, jobs):
    def run(retries):
        with DAG("policed", schedule=None) as dag:
            again = {"retries": retries, "retry_delay": timedelta(0), "retry_policy": DBT_CLOUD_RETRY_POLICY}
            DbtCloudRunJobOperator(task_id="build", job_id=jobs.instant, **again)
        return run_dag(dag)

    return run


def test_a_task_with_it_is_not_tried_again_in_vain(build, jobs):
    jobs.control.add_fault("status", status=403, route="*/run/", method="POST")
    assert build(retries=3).state == "failed"
    assert len(jobs.asked("POST", "/run/")) == 1


def test_a_task_with_it_is_tried_again_where_that_may_help(build, jobs):
    jobs.control.add_fault("status", status=409, route="*/run/", method="POST", count=1)
    assert build(retries=1).state == "success"
    assert len(jobs.asked("POST", "/run/")) == 2

"""Operators call verbs with the official provider's arguments, and believe what a replaced verb returns."""

from types import SimpleNamespace
from unittest import mock

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook, DbtCloudJobRunException
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

RUN = {"id": 7, "href": "https://example.com/runs/7/"}
STARTED = SimpleNamespace(json=lambda: {"data": RUN})
CAUSE = "Triggered via Apache Airflow by task 'build' in the nightly DAG."


def context_of(**fields):
    names = {"task_id": "build", "dag_id": "nightly", "run_id": "r", "map_index": -1, "max_tries": 0}
    return {"ti": mock.MagicMock(**{**names, "try_number": 1, **fields})}


def operator_of(**arguments):
    with DAG("nightly", schedule=None):
        return DbtCloudRunJobOperator(task_id="build", **{"job_id": 3, **arguments})


@pytest.fixture
def started(no_network):
    with mock.patch.object(DbtCloudHook, "trigger_job_run", return_value=STARTED) as verb:
        yield verb


@pytest.fixture
def waited():
    with mock.patch.object(DbtCloudHook, "wait_for_job_run_status", return_value=True) as verb:
        yield verb


@pytest.fixture
def no_network(monkeypatch):
    """Fails the test at any request."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_DBT_CLOUD_DEFAULT", '{"conn_type": "dbt_cloud", "password": "x", "login": "1"}'
    )
    monkeypatch.setattr("requests.Session.send", mock.Mock(side_effect=AssertionError("a request was sent")))


@pytest.mark.parametrize(
    ("from_failure", "try_number", "asked"), [(False, 1, False), (True, 1, False), (True, 2, True)]
)
def test_a_start_is_called_with_the_official_arguments(started, from_failure, try_number, asked):
    overrides = {"steps_override": ["dbt run"], "schema_override": "trial"}
    more = {"additional_run_config": {"threads_override": 8}}
    operator = operator_of(retry_from_failure=from_failure, wait_for_termination=False, **overrides, **more)
    assert operator.execute(context_of(try_number=try_number)) == 7
    started.assert_called_once_with(
        account_id=None, job_id=3, cause=CAUSE, retry_from_failure=asked, **overrides, **more
    )


@pytest.mark.parametrize("executing", [context_of(task_id="outer", dag_id="outer"), {"ti": mock.MagicMock()}])
def test_the_default_cause_names_the_operator_itself(started, executing):
    operator_of(wait_for_termination=False).execute(executing)
    assert started.call_args.kwargs["cause"] == CAUSE


def test_the_default_cause_of_an_operator_without_a_dag_names_that_of_its_context(started):
    DbtCloudRunJobOperator(task_id="build", job_id=3, wait_for_termination=False).execute(context_of())
    assert started.call_args.kwargs["cause"] == CAUSE


def test_a_wait_that_returns_false_fails_the_task(started, waited):
    waited.return_value = False
    with pytest.raises(DbtCloudJobRunException, match="Job run 7 has failed or has been cancelled"):
        operator_of().execute(context_of())


def test_a_start_that_returns_a_mock_has_no_run_to_wait_for(started, waited):
    started.return_value = mock.MagicMock()
    assert operator_of().execute(context_of()) is started.return_value.json()["data"]["id"]
    waited.assert_not_called()


def test_reuse_asks_as_the_official_operator_does(started):
    with mock.patch.object(DbtCloudHook, "get_job_runs") as listed:
        listed.return_value.json.return_value = {"data": [{**RUN, "status": 1}]}
        operator = operator_of(reuse_existing_run=True, wait_for_termination=False, account_id=5)
        assert operator.execute(context_of()) == 7
    query = {"job_definition_id": 3, "status__in": "[1, 2, 3]", "order_by": "-created_at"}
    listed.assert_called_once_with(account_id=5, payload=query)
    started.assert_not_called()


class OfficialVerbsOnly:
    """A stand-in of a user's own that has no verb beyond the official ones."""

    def __init__(self, *_, **__):
        pass

    def trigger_job_run(
        self,
        job_id,
        cause,
        account_id=None,
        steps_override=None,
        schema_override=None,
        retry_from_failure=False,
        additional_run_config=None,
    ):
        return STARTED

    def wait_for_job_run_status(self, run_id, account_id, expected_statuses, check_interval, timeout):
        return run_id == 7


def test_a_stand_in_with_official_verbs_only_is_enough(no_network):
    with mock.patch("airflow_dbt_cloud.operators.dbt.DbtCloudHook", OfficialVerbsOnly):
        assert operator_of().execute(context_of()) == 7
        assert operator_of().execute(context_of(try_number=2)) == 7


class Logging(DbtCloudHook):
    """Has the official signature, and calls ours."""

    def trigger_job_run(
        self,
        job_id,
        cause,
        account_id=None,
        steps_override=None,
        schema_override=None,
        retry_from_failure=False,
        additional_run_config=None,
    ):
        overrides = (steps_override, schema_override, retry_from_failure, additional_run_config)
        return super().trigger_job_run(job_id, f"{cause} Logged.", account_id, *overrides)


def test_a_subclass_with_the_official_signature_starts_once_over_all_tries(jobs):
    ids = set()
    for try_number in (1, 2):
        operator = operator_of(job_id=jobs.instant, wait_for_termination=False)
        operator.hook = Logging()
        ids.add(operator.execute(context_of(try_number=try_number)))
    (run,) = jobs.runs()
    assert ids == {run["id"]}
    assert run["trigger"]["cause"].startswith(f"{CAUSE} Logged.")

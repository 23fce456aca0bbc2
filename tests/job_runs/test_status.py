"""The statuses and events that DAGs compare with."""

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudTriggerEventException
from airflow_dbt_cloud.job_runs.status import DBT_CAUSE_MAX_LENGTH, validate_execute_complete_event
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus as Status
from dbtcloud.client.marker import CAUSE_MAX_LENGTH


def test_statuses_have_dbt_clouds_codes():
    codes = {"QUEUED": 1, "STARTING": 2, "RUNNING": 3, "SUCCESS": 10, "ERROR": 20, "CANCELLED": 30}
    assert {name: Status[name].value for name in codes} == codes
    assert [Status(code).name for code in codes.values()] == list(codes)


def test_the_groups_hold_all_of_them():
    assert Status.NON_TERMINAL_STATUSES.value == (1, 2, 3)
    assert Status.TERMINAL_STATUSES.value == (10, 20, 30)


@pytest.mark.parametrize(
    ("code", "ended"), [(1, False), (3, False), (10, True), (20, True), (30, True), (99, False)]
)
def test_a_code_that_is_not_known_has_not_ended(code, ended):
    assert Status.is_terminal(code) is ended


@pytest.mark.parametrize("codes", [10, [10, 20], (1,), {30}])
def test_known_codes_are_valid(codes):
    Status.check_is_valid(codes)


@pytest.mark.parametrize("codes", [99, [10, 99], {0}])
def test_unknown_codes_are_refused(codes):
    with pytest.raises(ValueError, match="is not a valid DbtCloudJobRunStatus"):
        Status.check_is_valid(codes)


def test_an_event_is_handed_back():
    event = {"status": "success", "run_id": 1}
    assert validate_execute_complete_event(event) is event


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (None, "event is None"),
        ("success", "event is 'success'"),
        ({}, "Unexpected trigger event status None"),
        ({"status": "puzzled"}, "Unexpected trigger event status 'puzzled'"),
    ],
)
def test_what_is_no_event_is_told_with_what_to_do(event, words):
    with pytest.raises(DbtCloudTriggerEventException, match=f"{words}.*Clear the task"):
        validate_execute_complete_event(event)


def test_the_causes_length_is_that_of_the_client():
    assert DBT_CAUSE_MAX_LENGTH == CAUSE_MAX_LENGTH

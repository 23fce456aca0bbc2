"""Slips that people make with the run operator's arguments."""

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("cause", "trigger_reason"),
        ("wait_for_completion", "wait_for_termination"),
        ("poll_interval", "check_interval"),
        ("threads", "threads_override"),
        ("steps", "steps_override"),
    ],
)
def test_an_argument_of_another_name_is_answered_with_ours(slip, meant):
    with pytest.raises(TypeError, match=f"no argument '{slip}'. Did you mean '{meant}'"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, **{slip: 1})


def test_an_argument_that_means_nothing_is_airflows_to_refuse():
    with pytest.raises(TypeError, match="breakfast"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, breakfast=True)


def test_default_args_meant_for_other_operators_are_left_alone():
    foreign = {
        "poke_interval": 5,
        "cause": "For others",
        "breakfast": True,
        "check_interval": 7,
        "retries": 2,
    }
    with DAG("shared", schedule=None, default_args=foreign):
        operator = DbtCloudRunJobOperator(task_id="build", job_id=1)
    assert (operator.check_interval, operator.retries, operator.trigger_reason) == (7, 2, None)

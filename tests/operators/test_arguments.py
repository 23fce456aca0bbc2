"""The operators' arguments: their names, their documentation, and common misspellings."""

import inspect
import re
from pathlib import Path

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.operators import dbt
from airflow_dbt_cloud.operators.base import DbtCloudBaseOperator
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow_dbt_cloud.tasks.template_values import OVERRIDES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
KINDS = [getattr(dbt, name) for name in dbt.__all__ if name.endswith("Operator")] + [DbtCloudJobRunSensor]
NOT_TEMPLATED = {
    "cancel_on_timeout",
    "check_interval",
    "deferrable",
    "durable",
    "hook_params",
    "if_running",
    "on_retry",
    "openlineage_inject_parent_job_info",
    "retry_from_failure",
    "reuse_existing_run",
    "timeout",
    "wait_for_termination",
}
# Arguments that are templated and say which job is run, and why; all others are overrides of the run.
SUCCESS = {"fail_on", "ignore"}
WHICH_JOB = {
    "account_id",
    "additional_run_config",
    "dbt_cloud_conn_id",
    "environment_name",
    "job_id",
    "job_name",
    "project_name",
    "trigger_reason",
}


def arguments(kind):
    """The arguments of an operator, with those of our base class."""
    named = {*inspect.signature(kind).parameters}
    return named | (
        {*inspect.signature(DbtCloudBaseOperator).parameters}
        if issubclass(kind, DbtCloudBaseOperator)
        else set()
    )


def documented(kind):
    """The arguments in the docstring of an operator."""
    section = inspect.getdoc(kind).partition("Args:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    (\w+): ", section, re.MULTILINE)


def test_every_argument_of_the_run_operator_is_documented_and_templated_or_known_not_to_be():
    own = arguments(DbtCloudRunJobOperator) - {"kwargs"}
    templated = set(DbtCloudRunJobOperator.template_fields)
    assert set(documented(DbtCloudRunJobOperator)) - {"kwargs"} == own
    assert templated == own - NOT_TEMPLATED
    assert templated - WHICH_JOB - SUCCESS == set(OVERRIDES), (
        "give each override its parser in template_values.OVERRIDES"
    )
    assert own >= NOT_TEMPLATED
    assert (
        "::: airflow_dbt_cloud.operators.dbt.DbtCloudRunJobOperator\n"
        in (REFERENCE / "operators.md").read_text()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_is_documented_once_under_its_own_class(kind):
    assert sorted(documented(kind)) == sorted(arguments(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_is_in_the_reference_where_people_import_it_from(kind):
    package = "sensors" if kind is DbtCloudJobRunSensor else "operators"
    page = (REFERENCE / f"{package}.md").read_text()
    assert f"::: airflow_dbt_cloud.{package}.dbt.{kind.__name__}\n" in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_field_is_an_argument(kind):
    assert set(kind.template_fields) <= arguments(kind)


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
def test_a_misnamed_argument_is_refused_and_the_right_name_suggested(slip, meant):
    with pytest.raises(TypeError, match=f"no argument '{slip}'. Did you mean '{meant}'"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, **{slip: 1})


def test_airflow_refuses_an_unknown_argument():
    with pytest.raises(TypeError, match="breakfast"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, breakfast=True)


def test_default_args_for_other_operators_are_ignored():
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

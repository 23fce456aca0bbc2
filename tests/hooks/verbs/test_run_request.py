"""A cause that dbt Cloud would refuse is cut, wherever it comes from."""

import json
import logging

import pytest

from airflow_dbt_cloud.hooks.dbt import DBT_CAUSE_MAX_LENGTH, DbtCloudHook
from dbtcloud.client.marker import Marker


class Telling(DbtCloudHook):
    """Logs where pytest looks."""

    log = logging.getLogger("a task's log")


@pytest.mark.parametrize("text", ["x", "ü", "🥖"])
@pytest.mark.parametrize("length", [1, 200, 255, 256, 10_000])
@pytest.mark.parametrize("come_from", ["argument", "additional_run_config"])
def test_a_cause_fits_wherever_it_comes_from(dbt_cloud, connect, caplog, come_from, length, text):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    hook, cause = connect(dbt_cloud, kind=Telling), text * length
    if come_from == "argument":
        hook.trigger_job_run(70, cause)
    else:
        hook.trigger_job_run(70, "short", additional_run_config={"cause": cause})
    (sent,) = [json.loads(each["body"])["cause"] for each in dbt_cloud.control.requests()]
    assert len(sent) <= DBT_CAUSE_MAX_LENGTH
    assert sent.startswith(cause[:200])
    assert ("is cut" in caplog.text) == (length > DBT_CAUSE_MAX_LENGTH)


@pytest.mark.parametrize("given_as", ["argument", "additional_run_config"])
def test_a_marker_that_the_cause_holds_already_is_kept(dbt_cloud, connect, given_as):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    cause = Marker.random().add_to("By hand")
    hook = connect(dbt_cloud)
    if given_as == "argument":
        hook.trigger_job_run(70, cause)
    else:
        hook.trigger_job_run(70, "x", additional_run_config={"cause": cause})
    (sent,) = [json.loads(each["body"])["cause"] for each in dbt_cloud.control.requests()]
    assert sent == cause

"""A task that one provider deferred is resumed by the other, with the connection that both use."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger

SHORT, ENDLESS, DOOMED = 70, 71, 72
CANCELLED = 30

pytestmark = [pytest.mark.contract, pytest.mark.extensive, pytest.mark.dbt, pytest.mark.timeout(900)]


@pytest.fixture
def their_events(story) -> dict[str, Any]:
    return story.outcomes["triggers_alone"]["returned"]["events"]


def resumed(event: dict[str, Any]) -> int:
    return DbtCloudRunJobOperator(task_id="build", job_id=1).execute_complete({}, event)


def test_our_operator_takes_the_success_that_their_trigger_saw(their_events, our_connection):
    assert resumed(their_events["success"]) == their_events["success"]["run_id"]


def test_our_operator_fails_by_the_failure_that_their_trigger_saw(their_events, our_connection):
    with pytest.raises(
        DbtCloudJobRunException, match=f"Job run {their_events['error']['run_id']} has failed"
    ):
        resumed(their_events["error"])


def test_our_operator_cancels_the_run_whose_execution_timeout_their_trigger_saw(their_events, our_connection):
    with pytest.raises(DbtCloudJobRunException):
        resumed(their_events["timeout"])
    assert DbtCloudHook().get_job_run_status(their_events["timeout"]["run_id"]) == CANCELLED


def test_their_operator_takes_our_events_and_cancels_at_each_timeout(their_airflow, our_connection):
    events = {
        "success": event(SHORT),
        "error": event(DOOMED),
        "timeout": event(ENDLESS, end_time=time.time() + 1),
    }
    file = their_airflow.folder / "events.json"
    file.write_text(json.dumps(events))

    printed = their_airflow.run(Path(__file__).parent / "incumbent" / "accept.py", file)

    assert json.loads(printed.splitlines()[-1]) == {
        "success": events["success"]["run_id"],
        "error": "DbtCloudJobRunException",
        "timeout": "DbtCloudJobRunException",
    }
    assert events["timeout"]["cancel"] is False
    assert DbtCloudHook().get_job_run_status(events["timeout"]["run_id"]) == CANCELLED


def event(job_id: int, **deadlines: float) -> dict[str, Any]:
    """What our trigger sends about a new run of a job."""
    run_id = DbtCloudHook().trigger_job_run(job_id, cause="For its event").json()["data"]["id"]

    async def first() -> Any:
        return await anext(aiter(DbtCloudRunJobTrigger(run_id=run_id, poll_interval=0.5, **deadlines).run()))

    return asyncio.run(first()).payload

"""No task that waits ends late because dbt Cloud hangs, on the worker and in the triggerer."""

import json
import time
from itertools import chain
from unittest import mock

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudJobRunException
from airflow_dbt_cloud.operators.dbt import DbtCloudCancelJobRunOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger
from dbtcloud.testing import CONNECTION_VARIABLE
from wires.raw import answer, dripping, envelope, silence

TIMEOUT = 0.5
RUN = answer(envelope({"id": 7, "status": 3, "href": "https://x/runs/7/"}))
HANGING = {
    "103, then silence": lambda: chain([b"HTTP/1.1 103 Early Hints\r\n\r\n"], silence()),
    "a dripping body": lambda: dripping(RUN, start=len(RUN) - 30, pause=0.5),
}


@pytest.fixture(params=HANGING)
def hanging(request, raw_server, monkeypatch):
    """A connection whose server hangs."""
    raw_server.reply = lambda _: HANGING[request.param]()
    connection = {"conn_type": "dbt_cloud", "host": raw_server.url, "login": "1", "password": "dbtc_x"}
    monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps(connection))
    return raw_server


@pytest.fixture
def seconds():
    """The seconds since the test began."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


def context():
    return {"ti": mock.Mock(**{"get_first_reschedule_date.return_value": None})}


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
@pytest.mark.parametrize("poke_interval", [0.05, 60])
@pytest.mark.usefixtures("hanging")
def test_the_sensor_ends_in_time(seconds, mode, poke_interval):
    sensor = DbtCloudJobRunSensor(
        task_id="sense", run_id=7, timeout=TIMEOUT, poke_interval=poke_interval, mode=mode
    )
    with pytest.raises(AirflowSensorTimeout, match="Could not poll job run 7; it may still be running"):
        sensor.execute(context())
    assert TIMEOUT <= seconds() < TIMEOUT + 3


def test_the_last_poke_comes_at_the_timeout_and_not_an_interval_later(seconds, hanging):
    hanging.reply = RUN
    sensor = DbtCloudJobRunSensor(task_id="sense", run_id=7, timeout=TIMEOUT, poke_interval=60)
    with pytest.raises(AirflowSensorTimeout, match="is still running"):
        sensor.execute(context())
    assert TIMEOUT <= seconds() < TIMEOUT + 3


@pytest.mark.usefixtures("hanging")
def test_the_cancel_operator_ends_in_time(seconds):
    with pytest.raises(DbtCloudApiException, match=r"not complete within|The time for all requests was over"):
        DbtCloudCancelJobRunOperator(task_id="cancel", run_id=7, timeout=TIMEOUT).execute(context())
    assert seconds() < TIMEOUT + 3


def test_the_cancel_operator_waits_in_time(seconds, hanging):
    waits = HANGING["103, then silence"]
    hanging.reply = lambda request: waits() if len(hanging.received) > 2 else RUN
    # The answers that come must arrive within the timeout, also on a busy machine.
    with pytest.raises(DbtCloudJobRunException, match=r"has not ended within 2 seconds"):
        DbtCloudCancelJobRunOperator(task_id="cancel", run_id=7, timeout=2).execute(context())
    assert seconds() < 2 + 3


@pytest.mark.usefixtures("hanging")
async def test_the_trigger_ends_in_time(seconds):
    trigger = DbtCloudRunJobTrigger(run_id=7, end_time=time.time() + TIMEOUT, poll_interval=0.1, owned=False)
    event = (await anext(trigger.run())).payload
    assert event["status"] == "timeout"
    assert "Could not reach job run 7 within the timeout" in event["message"]
    assert seconds() < TIMEOUT + 3

"""A killed deferred task's run is cancelled, a moved one's goes on; here with a stand-in for Airflow."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time import task_runner
from airflow.triggers.base import BaseTrigger

from airflow_dbt_cloud.triggers.cancel_on_kill import CANCEL_SECONDS, cancel_if_killed
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger

TELLS_OF_KILLS = hasattr(BaseTrigger, "on_kill")


class Supervisor:
    """Knows the states of tasks, as the triggerer's supervisor does."""

    def __init__(self):
        self.asked, self.states = [], {}

    def send(self, message):
        self.asked.append(message)
        if isinstance(self.states, Exception):
            raise self.states
        return SimpleNamespace(task_states={"r": self.states} if self.states else {})


@pytest.fixture
def supervisor(monkeypatch):
    stand_in = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", stand_in, raising=False)
    return stand_in


@pytest.fixture
def trigger(jobs, supervisor):
    def make(map_index=-1, **arguments):
        run_id = jobs.started(jobs.endless)
        made = DbtCloudRunJobTrigger(run_id=run_id, **{"owned": True, "poll_interval": 0.1, **arguments})
        made.task_instance = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=map_index)
        return made

    return make


def status(jobs):
    return jobs.runs()[0]["status"]


ENDED = ["failed", "success", "skipped", "up_for_retry", "removed", "scheduled", "queued", "running", None]


@pytest.mark.parametrize("state", ENDED)
async def test_the_run_of_a_task_that_is_not_deferred_any_more_is_cancelled(trigger, supervisor, jobs, state):
    supervisor.states = {"t": state} if state else {}
    await cancel_if_killed(trigger())
    assert status(jobs) == 30


async def test_the_run_of_a_task_that_is_still_deferred_goes_on(trigger, supervisor, jobs):
    supervisor.states = {"t": "deferred"}
    await cancel_if_killed(trigger())
    assert status(jobs) == 3
    assert jobs.asked("POST", "/cancel/") == []


@pytest.mark.parametrize("owned", [False, None])
async def test_a_run_that_the_task_did_not_start_goes_on(trigger, supervisor, jobs, owned):
    supervisor.states = {"t": "failed"}
    await cancel_if_killed(trigger(owned=owned))
    assert (status(jobs), supervisor.asked) == (3, [])


@pytest.mark.parametrize(("map_index", "asked_for"), [(-1, None), (0, 0), (7, 7)])
async def test_the_state_is_that_of_the_triggers_own_task(trigger, supervisor, map_index, asked_for):
    supervisor.states = {f"t_{map_index}": "deferred"}
    await cancel_if_killed(trigger(map_index=map_index))
    (message,) = supervisor.asked
    assert (message.dag_id, message.run_ids, message.task_ids) == ("d", ["r"], ["t"])
    assert message.map_index == asked_for


async def test_if_airflow_does_not_return_the_state_the_run_is_not_cancelled(trigger, supervisor, jobs):
    supervisor.states = ConnectionError("the supervisor is gone")
    await cancel_if_killed(trigger())
    assert status(jobs) == 3


async def test_a_cancel_gives_up_when_dbt_cloud_hangs(trigger, supervisor, jobs):
    supervisor.states = {"t": "failed"}
    killed = trigger()
    jobs.control.add_fault("delay", seconds=30, route="*/cancel/")
    begin = time.monotonic()
    await cancel_if_killed(killed)
    assert time.monotonic() - begin < CANCEL_SECONDS + 1


async def test_a_temporary_fault_is_retried(trigger, supervisor, jobs):
    supervisor.states = {"t": "failed"}
    killed = trigger()
    jobs.control.add_fault("status", status=503, route="*/cancel/", count=1)
    await cancel_if_killed(killed)
    assert status(jobs) == 30


async def test_a_dbt_cloud_that_refuses_raises_nothing(trigger, supervisor, jobs):
    supervisor.states = {"t": "failed"}
    killed = trigger()
    jobs.control.add_fault("status", status=403, route="*/cancel/")
    await cancel_if_killed(killed)
    assert status(jobs) == 3


async def stopped(trigger, jobs):
    """Let the trigger wait, then cancel it as a triggerer does."""
    events = trigger.run()
    waiting = asyncio.create_task(anext(events))
    while not jobs.asked("GET", "/runs/"):  # noqa: ASYNC110 -- the server's journal has no event
        await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await events.aclose()


@pytest.mark.skipif(TELLS_OF_KILLS, reason="Airflow 3.3 tells of a kill by on_kill")
@pytest.mark.parametrize(("state", "expected"), [("failed", 30), ("deferred", 3)])
async def test_before_airflow_3_3_a_stopped_trigger_finds_out_itself(
    trigger, supervisor, jobs, state, expected
):
    supervisor.states = {"t": state}
    await stopped(trigger(), jobs)
    assert status(jobs) == expected


@pytest.mark.skipif(not TELLS_OF_KILLS, reason="before Airflow 3.3 stopping is all that a kill does")
async def test_a_trigger_that_is_stopped_cancels_nothing_until_it_is_told(trigger, supervisor, jobs):
    supervisor.states = {"t": "failed"}
    killed = trigger()
    await stopped(killed, jobs)
    assert (status(jobs), supervisor.asked) == (3, [])
    await killed.on_kill()
    assert status(jobs) == 30


async def test_a_stopped_trigger_leaves_nothing_running(trigger, supervisor, jobs):
    supervisor.states = {"t": "deferred"}
    await stopped(trigger(), jobs)
    async with asyncio.timeout(20):
        while asyncio.all_tasks() - {asyncio.current_task()}:  # noqa: ASYNC110 -- it ends by itself
            await asyncio.sleep(0.05)

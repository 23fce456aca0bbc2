"""All triggers of a process look together, over a connection that is read once, and in nobody's way."""

import asyncio
import json
import time

import pytest
import structlog
from blockbuster import blockbuster_ctx

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.connection import credentials
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.hooks.polling import shared_poller
from airflow_dbt_cloud.hooks.polling.shared_poller import SharedPoll
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger
from dbtcloud.client.errors import Unauthorized
from dbtcloud.testing import CONNECTION_VARIABLE, connection_json


class CountingHook(DbtCloudHook):
    """Counts how often the connection is read."""

    read = 0

    async def read_credentials(self):
        type(self).read += 1
        await asyncio.sleep(0.02)
        return await super().read_credentials()


@pytest.fixture
def counting(dbt_cloud):
    CountingHook.read = 0
    return CountingHook


@pytest.fixture
def going(jobs):
    """Seeds this many runs that go on."""

    def seed(count):
        ids = jobs.control.seed(runs=[{"job_id": jobs.endless, "count": count}])["runs"]
        jobs.control.clear_requests()
        return ids

    return seed


def polling(run, kind=DbtCloudHook, interval=0.1, shared_by="", **arguments):
    hook = kind(**arguments)
    hook.share_polls(SharedPoll(run, interval, shared_by))
    return hook


async def status(hook):
    return await hook.get_job_status(hook._shared_poll.run_id)


async def statuses(hooks):
    return await asyncio.gather(*map(status, hooks))


async def test_two_hundred_hooks_read_the_connection_once_and_ask_together(counting, going, jobs):
    runs = going(200)
    assert await statuses([polling(run, counting) for run in runs]) == [3] * 200
    assert counting.read == 1
    assert (
        jobs.control.counters()["requests"] <= 2 * 2
    )  # those who come while the first are asked for are next


async def test_a_hook_answers_again_when_the_status_is_new(going, jobs):
    (run,) = going(1)
    hook = polling(run)
    assert await hook.get_job_status(run) == 3
    ends = asyncio.create_task(hook.get_job_status(run))
    await asyncio.sleep(0.3)
    assert not ends.done()
    jobs.control.advance(40_000)
    assert await ends == 10


async def test_a_hook_whose_look_was_given_up_still_knows_the_status(going, jobs):
    (run,) = going(1)
    hook = polling(run)
    await hook.get_job_status(run)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hook.get_job_status(run), 0.25)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hook.get_job_status(run), 0.25)


OURS = ["dbtcloud.client", *(f"airflow_dbt_cloud.{layer}" for layer in ("hooks", "triggers", "job_runs"))]

DIFFERENT = {
    "class": lambda run: polling(run, CountingHook),
    "timeout_seconds": lambda run: polling(run, timeout_seconds=7),
    "an argument of a subclass": lambda run: polling(run, shared_by="other"),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
async def test_what_may_lead_elsewhere_is_not_shared(going, jobs, other):
    runs = going(2)
    await statuses([polling(runs[0]), other(runs[1])])
    assert jobs.control.counters()["requests"] == 2


async def test_what_changes_no_connection_is_shared(going, jobs):
    runs = going(2)
    await statuses([polling(runs[0], retry_limit=2), polling(runs[1], retry_limit=3, retry_delay=9)])
    assert jobs.control.counters()["requests"] == 1


async def test_triggers_with_different_arguments_of_their_hook_do_not_share(going, jobs):
    one, same, other = (
        DbtCloudRunJobTrigger(run_id=1, hook_params=params)._shared_by()
        for params in ({"tenant": "a"}, {"retry_limit": 5, "tenant": "a"}, {"tenant": "b"})
    )
    assert one == same != other


def test_each_event_loop_has_pollers_of_its_own_and_closed_ones_are_forgotten(going, jobs):
    (run,) = going(1)
    for _ in range(5):
        assert asyncio.run(polling(run).get_job_status(run)) == 3
    assert len(shared_poller._LOOPS) <= 2


@pytest.fixture
def rotating(dbt_cloud, monkeypatch):
    """Puts a token into the connection; a refused one is read anew at once."""
    monkeypatch.setattr(credentials, "REREAD_INTERVAL", 0.0)

    def put(token):
        fields = json.loads(connection_json(dbt_cloud))
        monkeypatch.setenv(
            CONNECTION_VARIABLE, json.dumps({**fields, "password": token or fields["password"]})
        )

    return put


async def test_a_token_that_was_rotated_is_picked_up_at_the_first_401(rotating, counting, going, jobs):
    runs = going(150)
    rotating("an old token")
    hooks = [polling(run, counting) for run in runs]
    waits = asyncio.gather(*map(asyncio.create_task, map(status, hooks)))
    while not counting.read:  # noqa: ASYNC110 -- the count has no event
        await asyncio.sleep(0.005)
    rotating(None)
    assert await waits == [3] * 150
    assert [each["status"] for each in jobs.control.requests()].count(401) <= 2
    assert counting.read <= 3


async def test_a_token_that_stays_wrong_is_told(rotating, going):
    (run,) = going(1)
    rotating("a wrong token")
    with pytest.raises(DbtCloudApiException) as refused:
        await polling(run).get_job_status(run)
    assert isinstance(refused.value.error, Unauthorized)


async def test_a_refused_token_makes_nobody_read_the_connection_again_within_ten_seconds(
    counting, going, dbt_cloud, monkeypatch
):
    fields = json.loads(connection_json(dbt_cloud))
    monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps({**fields, "password": "a wrong token"}))
    for run in going(5):
        with pytest.raises(DbtCloudApiException, match="401"):
            await status(polling(run, counting))
    assert counting.read == 1


async def test_a_wait_for_the_connection_that_is_given_up_holds_up_nobody(counting, going):
    runs = going(2)
    first = asyncio.create_task(status(polling(runs[0], counting)))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(status(polling(runs[1], counting)))
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, 20) == 3


async def test_a_run_is_seen_to_end_while_its_steps_are_told_each_interval(going, jobs, monkeypatch):
    """The looks at steps come no less often than those at the run, and must not push these off."""
    monkeypatch.setattr("airflow_dbt_cloud.job_runs.progress.StepPolls.INTERVAL", 0.3)
    (run,) = going(1)
    event = asyncio.create_task(anext(DbtCloudRunJobTrigger(run_id=run, poll_interval=0.4).run()))
    while len(jobs.asked("GET", "run_steps")) < 3:  # noqa: ASYNC110 -- the journal has no event
        await asyncio.sleep(0.02)
    jobs.control.advance(40_000)
    assert (await asyncio.wait_for(event, 20)).payload["status"] == "success"


async def test_steps_that_hang_do_not_hold_up_a_deadline(going, jobs):
    (run,) = going(1)
    jobs.control.add_fault("delay", seconds=30, route=f"*/runs/{run}/")
    begin = time.time()
    event = await anext(DbtCloudRunJobTrigger(run_id=run, execution_deadline=begin + 0.8).run())
    assert event.payload["status"] == "timeout"
    assert time.time() - begin < 10


async def told_by(name, run):
    structlog.contextvars.bind_contextvars(watcher=name)
    return (await anext(DbtCloudRunJobTrigger(run_id=run, poll_interval=0.1).run())).payload["status"]


async def heard(capfd, *words):
    """What was logged up to the moment when it held all of these words."""
    text = ""
    async with asyncio.timeout(10):
        while not all(word in text for word in words):
            await asyncio.sleep(0.05)
            text += "".join(capfd.readouterr())
    return text


async def test_what_one_trigger_began_never_logs_for_it_afterwards(jobs, capfd):
    """The poller began with the first trigger, which is gone when the second run's status changes."""
    one, two = jobs.started(jobs.endless), jobs.started(jobs.endless)
    first = asyncio.create_task(told_by("the-first", one))
    assert "the-second" not in await heard(capfd, "the-first", f"run {one}: Running")
    second = asyncio.create_task(told_by("the-second", two))
    await heard(capfd, "the-second", f"run {two}: Running")
    first.cancel()
    await asyncio.wait([first])
    capfd.readouterr()
    jobs.control.add_fault("status", route="*/runs/", count=2)
    outage = await heard(capfd, "Polling again", "answers again")
    jobs.control.advance(40_000)
    assert await second == "success"
    after = outage + "".join(capfd.readouterr())
    assert "the-first" not in after
    told = [line for line in after.splitlines() if "Polling again" in line or "answers again" in line]
    assert all("the-second" in line for line in told)


async def test_nothing_blocks_the_loop(jobs, going):
    runs = going(120)
    triggers = [DbtCloudRunJobTrigger(run_id=run, poll_interval=0.1) for run in runs]
    await anext(
        DbtCloudRunJobTrigger(run_id=jobs.started(jobs.instant)).run()
    )  # imports what is imported late
    with blockbuster_ctx(OURS):
        waits = asyncio.gather(*(anext(trigger.run()) for trigger in triggers))
        await asyncio.sleep(0.5)
        jobs.control.add_fault("reset", count=2)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(jobs.control.advance, 40_000)
        events = await waits
    assert {event.payload["status"] for event in events} == {"success"}

"""A job has no schedule during a block, and has it back after it, however the block ends."""

import asyncio
import signal
from contextlib import ExitStack, nullcontext

import pytest

from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from dbtcloud.client.transport.time_limit import time_limit
from dbtcloud.errors import (
    DbtCloudError,
    Forbidden,
    InvalidArgument,
    NotFound,
    ScheduleNotRestored,
    ServerError,
    WriteRefused,
)
from dbtcloud.resources.client import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.resources.schedule_pause import SchedulePause

JOB = {
    "id": 60,
    "name": "Nightly",
    "description": "Builds all",
    "execute_steps": ["dbt build"],
    "triggers": {"schedule": True, "github_webhook": True},
    "schedule": {"date": {"type": "days_of_week", "days": [1]}, "time": {"type": "every_hour"}},
    "pretend": {},
}
UPDATE = {"method": "POST", "route": "*/jobs/*[0-9]/"}


@pytest.fixture
def cloud(dbt_cloud):
    dbt_cloud.control.seed(jobs=[JOB])
    return dbt_cloud


def client_of(cloud, kind=DbtCloudClient, **options):
    return kind(token=cloud.token, account_id=1, host=cloud.url, **options)


def data_of(cloud):
    with client_of(cloud) as client:
        return client.jobs.get(60).data


def is_on(cloud):
    return data_of(cloud)["triggers"]["schedule"]


def updates(cloud):
    return [
        each
        for each in cloud.control.requests()
        if each["method"] == "POST" and each["target"].endswith("/jobs/60/")
    ]


class Block:
    """Runs a block on one of the faces; `within` is called in it with the job."""

    def __init__(self, name, cloud):
        self.name, self.cloud = name, cloud

    def __call__(self, within, **options):
        if self.name == "awaited":
            return asyncio.run(self._awaited(within, options))
        with client_of(self.cloud, **options) as client, client.jobs.disable_schedule(60) as job:
            return within(job)

    async def _awaited(self, within, options):
        client = client_of(self.cloud, AsyncDbtCloudClient, **options)
        async with client, client.jobs.disable_schedule(60) as job:
            return within(job)


@pytest.fixture
def block(face, cloud):
    return Block(face.name, cloud)


def test_the_schedule_is_off_in_the_block_and_on_after_it(block, cloud):
    before = data_of(cloud)

    def within(job):
        assert (job.name, job.scheduled) == ("Nightly", False)
        now = data_of(cloud)
        assert now["triggers"] == {**before["triggers"], "schedule": False}
        assert {**now, "triggers": 0, "updated_at": 0, "next_run": 0, "next_run_humanized": 0} == {
            **before,
            "triggers": 0,
            "updated_at": 0,
            "next_run": 0,
            "next_run_humanized": 0,
        }

    block(within)
    assert {**data_of(cloud), "updated_at": 0} == {**before, "updated_at": 0}


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_the_schedule_is_restored_after_an_error(block, cloud, error):
    def within(_):
        raise error

    with pytest.raises(type(error)) as caught:
        block(within)
    assert is_on(cloud)
    assert not hasattr(caught.value, "__notes__")


def test_a_job_without_a_schedule_is_left_alone(block, cloud):
    with client_of(cloud) as client:
        client.jobs.update(60, triggers={"schedule": False})
    block(lambda job: None)
    assert not is_on(cloud)
    assert len(updates(cloud)) == 1


def test_what_others_change_meanwhile_stays(block, cloud):
    def within(_):
        with client_of(cloud) as other:
            other.jobs.update(60, name="Renamed", triggers={"github_webhook": False})

    block(within)
    after = data_of(cloud)
    assert (after["name"], after["triggers"]["github_webhook"], after["triggers"]["schedule"]) == (
        "Renamed",
        False,
        True,
    )


def test_a_schedule_that_is_on_again_is_left_alone(block, cloud):
    def within(_):
        with client_of(cloud) as other:
            other.jobs.update(60, triggers={"schedule": True})

    block(within)
    assert is_on(cloud)
    assert len(updates(cloud)) == 2


def test_the_first_answer_may_be_lost(block, cloud):
    """The schedule is off, and the block is not entered."""
    cloud.control.add_fault("status", after_acting=True, **UPDATE, count=1)
    with pytest.raises(ServerError):
        block(lambda _: pytest.fail("entered"), retry=NO_RETRY)
    assert is_on(cloud)
    assert len(updates(cloud)) == 2


def test_a_refused_change_leaves_the_schedule_as_it_is(block, cloud):
    cloud.control.add_fault("status", status=403, **UPDATE)
    with pytest.raises(Forbidden) as refused:
        block(lambda _: pytest.fail("entered"))
    assert is_on(cloud)
    assert not hasattr(refused.value, "__notes__")


@pytest.mark.parametrize(("job_id", "error"), [(999, NotFound), ("Nightly", InvalidArgument)])
def test_a_job_that_is_not_there(cloud, job_id, error):
    with pytest.raises(error), client_of(cloud) as client, client.jobs.disable_schedule(job_id):
        pytest.fail("entered")


def refuse(cloud):
    cloud.control.add_fault("status", status=403, method="POST")


def test_a_schedule_that_cannot_be_restored_is_an_error(block, cloud, caplog):
    with pytest.raises(ScheduleNotRestored, match=r"job 60 \(Nightly\) may still be off") as failed:
        block(lambda _: refuse(cloud))
    assert failed.value.job_id == 60
    assert "client.jobs.update(60, triggers={'schedule': True})" in str(failed.value)
    assert isinstance(failed.value.__cause__, Forbidden)
    assert [each.levelname for each in caplog.records if "may still be off" in each.message] == ["ERROR"]


def test_a_client_that_is_closed_in_the_block_is_an_error(cloud):
    with (
        pytest.raises(ScheduleNotRestored, match="The client is closed"),
        client_of(cloud) as client,
        client.jobs.disable_schedule(60),
    ):
        client.close()


def test_a_client_that_may_only_read_changes_nothing(block, cloud, monkeypatch):
    monkeypatch.setenv("DBT_CLOUD_READONLY", "1")
    with pytest.raises(WriteRefused) as refused:
        block(lambda _: pytest.fail("entered"))
    assert updates(cloud) == []
    assert not hasattr(refused.value, "__notes__")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_the_error_of_the_block_stays_with_a_note(block, cloud, caplog, kind):
    def within(_):
        refuse(cloud)
        raise kind("its own")

    with pytest.raises(kind, match="its own") as caught:
        block(within)
    (note,) = caught.value.__notes__
    assert "job 60 (Nightly) may still be off" in note
    assert note in caplog.text


def test_the_schedule_is_restored_after_the_end_of_a_time_limit(cloud):
    with client_of(cloud) as client, ExitStack() as limits, client.jobs.disable_schedule(60):
        limits.enter_context(time_limit(0))
        with pytest.raises(DbtCloudError, match="The time for all requests was over"):
            client.jobs.get(60)
    assert is_on(cloud)


class AtRequest:
    """Does something when a client begins some of its requests: read, switch off, read, switch on."""

    def __init__(self, action, *numbers):
        self.action, self.numbers, self.requests = action, numbers, 0

    def __call__(self, event):
        self.requests += 1
        if self.requests in self.numbers:
            self.action()


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_ctrl_c_during_the_requests_leaves_the_schedule_on(cloud, number):
    on_request = AtRequest(ctrl_c, number)
    client = client_of(cloud, on_request=on_request)
    with pytest.raises(KeyboardInterrupt), client, client.jobs.disable_schedule(60):
        assert number > 2
    assert is_on(cloud)


def test_a_third_ctrl_c_gives_up_and_says_so(cloud, caplog):
    on_request = AtRequest(ctrl_c, 3, 4)
    client = client_of(cloud, on_request=on_request)
    with pytest.raises(KeyboardInterrupt), client, client.jobs.disable_schedule(60):
        pass
    assert not is_on(cloud)
    assert "may still be off, because it could not be restored. The program was interrupted" in caplog.text


async def cancelled_within(cloud, on_request=None):
    """Whether a task was cancelled that cancels itself in the block, or that `on_request` cancels."""

    async def work():
        client = client_of(cloud, AsyncDbtCloudClient, on_request=on_request)
        async with client, client.jobs.disable_schedule(60):
            if on_request is None:
                tasks[0].cancel()
                await asyncio.Event().wait()

    tasks = [asyncio.create_task(work(), name="work")]
    await asyncio.wait(tasks)
    return tasks[0].cancelled()


def cancel_work():
    next(task for task in asyncio.all_tasks() if task.get_name() == "work").cancel()


def cancel_all():
    for task in asyncio.all_tasks():
        if task.get_name() == "work" or task is asyncio.current_task():
            task.cancel()


def test_cancelling_the_task_restores_the_schedule(cloud):
    assert asyncio.run(cancelled_within(cloud))
    assert is_on(cloud)


@pytest.mark.parametrize("cancel", [cancel_work, cancel_all])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_cancelling_the_task_during_the_requests_leaves_the_schedule_on(cloud, cancel, number):
    assert asyncio.run(cancelled_within(cloud, AtRequest(cancel, number)))
    assert is_on(cloud)


@pytest.mark.parametrize(("faults", "pauses"), [(3, [2, 5, 15]), (99, [2, 5, 15, 30, 60])])
def test_the_restoration_is_tried_again_for_two_minutes(cloud, faults, pauses):
    credentials = Credentials(base_url=cloud.url, token=cloud.token, account_id="1")
    pause, slept = SchedulePause("1", 60), []
    with SyncClient(credentials) as client:

        def carry_out(call):
            return run_call(call, client.send, retry=NO_RETRY, sleep=slept.append)

        carry_out(pause.begin())
        cloud.control.add_fault("status", status=503, **UPDATE, count=faults)
        with pytest.raises(ScheduleNotRestored) if faults == 99 else nullcontext():
            carry_out(pause.end(None))
    assert slept == pauses
    assert is_on(cloud) == (faults == 3)

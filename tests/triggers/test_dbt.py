"""The trigger on a real event loop, against the local dbt Cloud over real sockets."""

import asyncio
import json
import os
import time
from itertools import pairwise
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow import __version__ as airflow_version
from airflow.models.trigger import Trigger
from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger
from dbtcloud.client.errors import ConnectionUnreadable, Unauthorized
from dbtcloud.client.failure_tolerance import GRACE
from dbtcloud.client.polling.poller import CONNECTIONS
from dbtcloud.testing import CONNECTION_VARIABLE
from wires.raw import answer, envelope

FULL = {
    "conn_id": "dbt_cloud_default",
    "run_id": 70403110257794,
    "end_time": 1_900_000_000.5,
    "poll_interval": 60,
    "account_id": "1",
    "hook_params": {"retry_limit": 3},
    "execution_deadline": 1_900_000_100.25,
    "not_before": 1_800_000_000.0,
}

OF_A_TRIGGERER = pytest.mark.skipif(
    airflow_version.startswith("3.1."),
    reason="only within a triggerer Airflow 3.1 says that a connection is gone",
)


async def event_of(run_id, **arguments):
    """What the trigger of a task of ours says in the end."""
    trigger = DbtCloudRunJobTrigger(run_id=run_id, **{"poll_interval": 0.1, "owned": False, **arguments})
    return (await anext(trigger.run())).payload


@pytest.mark.parametrize(
    ("job", "status", "words"),
    [
        ("quick", "success", "has completed successfully"),
        ("failing", "error", "has failed"),
        ("cancelled", "cancelled", "has been cancelled"),
    ],
)
async def test_the_event_says_how_the_run_ended(jobs, job, status, words):
    run_id = jobs.started(getattr(jobs, job))
    event = await event_of(run_id)
    assert (event["status"], event["run_id"]) == (status, run_id)
    assert words in event["message"]


def stored(trigger):
    """The class and arguments that Airflow reads back from the row it writes."""
    row = Trigger.from_object(trigger)
    return row.classpath, row.kwargs


def test_what_airflow_stores_brings_the_same_trigger_back():
    place, kwargs = stored(DbtCloudRunJobTrigger(**FULL))
    assert place == "airflow_dbt_cloud.triggers.dbt.DbtCloudRunJobTrigger"
    assert FULL.items() <= kwargs.items()
    assert DbtCloudRunJobTrigger(**kwargs).serialize() == DbtCloudRunJobTrigger(**FULL).serialize()


def test_a_subclass_is_stored_under_its_own_name():
    class Named(DbtCloudRunJobTrigger):
        pass

    assert stored(Named(run_id=1))[0].endswith("Named")


@pytest.mark.parametrize("missing", FULL)
def test_a_row_without_a_key_is_read(missing):
    kwargs = {name: value for name, value in FULL.items() if name != missing}
    assert DbtCloudRunJobTrigger(**kwargs).serialize()[1].keys() >= FULL.keys() - {"not_before"}


async def test_a_row_of_a_later_release_is_resumed(jobs):
    event = await event_of(jobs.started(jobs.instant), of_the_future={"anything": 1})
    assert event["status"] == "success"


async def test_a_row_of_the_provider_before_this_one_is_resumed(jobs):
    now = time.time()
    event = await event_of(
        conn_id="dbt_cloud_default",
        run_id=jobs.started(jobs.instant),
        end_time=now + 604_800,
        poll_interval=60,
        account_id=None,
        hook_params={"timeout_seconds": 30},
        execution_deadline=now + 3_600,
    )
    assert event["status"] == "success"


@pytest.mark.parametrize(
    ("status", "event", "words"),
    [
        (10, "success", "has completed successfully."),
        (20, "error", "has failed."),
        (30, "cancelled", "has been cancelled."),
    ],
)
async def test_a_trigger_that_no_task_of_ours_has_made_sends_the_official_event(status, event, words):
    with mock.patch.object(DbtCloudHook, "get_job_status", return_value=status):
        sent = await event_of(7, owned=None)
    assert sent == {"status": event, "message": f"Job run 7 {words}", "run_id": 7}


@pytest.mark.parametrize(
    ("deadline", "event", "words"),
    [
        ("end_time", "error", "has not reached a terminal status within the configured timeout."),
        ("execution_deadline", "timeout", "has timed out."),
    ],
)
async def test_such_a_trigger_also_sends_the_official_events_of_deadlines(deadline, event, words):
    with mock.patch.object(DbtCloudHook, "get_job_status", return_value=3):
        sent = await event_of(7, owned=None, **{deadline: time.time() - 1})
    assert sent == {"status": event, "message": f"Job run 7 {words}", "run_id": 7}


@pytest.mark.parametrize(("status", "state"), [(1, "queued"), (2, "starting"), (3, "running")])
@pytest.mark.parametrize("deadline", ["end_time", "execution_deadline"])
async def test_a_timeout_says_what_the_run_is_doing_and_for_how_long_it_was_waited(status, state, deadline):
    with mock.patch.object(DbtCloudHook, "get_job_status", return_value=status):
        sent = await event_of(7, start_time=time.time() - 8.1, **{deadline: time.time() - 1})
        of_another_release = await event_of(7, **{deadline: time.time() - 1})
    assert sent["status"] == "timeout"
    assert sent["message"].endswith(f"and is still {state}.")
    assert "8 seconds" in sent["message"]
    assert "seconds" not in of_another_release["message"]
    assert of_another_release["message"].endswith(f"is still {state}.")


def test_a_row_of_such_a_trigger_has_the_official_arguments_only():
    official = {name: value for name, value in FULL.items() if name != "not_before"}
    assert DbtCloudRunJobTrigger(**official).serialize()[1] == official


def test_hook_params_that_cannot_be_stored_are_left_out_of_a_row(capfd):
    params = {"retry_limit": 3, "retry_args": {"stop": object()}}
    assert DbtCloudRunJobTrigger(run_id=7, hook_params=params).serialize()[1]["hook_params"] == {
        "retry_limit": 3
    }
    assert "hook_params['retry_args'] cannot be sent" in "".join(capfd.readouterr())


async def test_a_stand_in_with_the_official_verbs_only_is_enough():
    class StandIn:
        def __init__(self, *_, **__):
            pass

        async def get_job_status(self, run_id, account_id):
            return 10

    with mock.patch("airflow_dbt_cloud.triggers.dbt.DbtCloudHook", StandIn):
        assert (await event_of(7))["status"] == "success"


async def test_a_replaced_status_is_polled_for_alone(monkeypatch):
    """Nothing else is requested, also while the run is running."""
    monkeypatch.setattr(DbtCloudHook, "get_job_details", mock.Mock(side_effect=AssertionError))
    with mock.patch.object(DbtCloudHook, "get_job_status", side_effect=[3, 3, 10]) as polled:
        assert (await event_of(7, poll_interval=0.01))["status"] == "success"
    assert polled.call_args_list == [mock.call(7, None)] * 3


async def test_positional_arguments_mean_what_they_did(jobs):
    trigger = DbtCloudRunJobTrigger("dbt_cloud_default", jobs.started(jobs.instant), None, 0.1, 1)
    assert (await anext(trigger.run())).payload["status"] == "success"


async def test_the_first_poll_comes_no_sooner_than_not_before(jobs):
    run_id = jobs.started(jobs.instant)
    begin = time.time()
    await event_of(run_id, not_before=begin + 0.5)
    assert time.time() - begin >= 0.5
    (look, *_) = jobs.asked("GET", "/runs/")
    assert look["instant"] / 1e6 >= begin + 0.5


@pytest.mark.parametrize(
    ("deadline", "cancel"), [("end_time", False), ("execution_deadline", True)], ids=["waiting", "execution"]
)
async def test_a_deadline_is_not_overshot_by_a_long_interval(jobs, deadline, cancel):
    run_id = jobs.started(jobs.endless)
    begin = time.time()
    event = await event_of(run_id, poll_interval=60, **{deadline: begin + 0.5})
    assert 0.5 <= time.time() - begin < 10
    assert (event["status"], event["cancel"]) == ("timeout", cancel)
    assert "failed" not in event["message"]
    assert jobs.run(run_id)["status"] == 3


@pytest.mark.parametrize("deadline", ["end_time", "execution_deadline"])
async def test_a_run_that_ended_since_the_last_poll_has_not_timed_out(jobs, deadline):
    event = await event_of(jobs.started(jobs.quick), poll_interval=60, **{deadline: time.time() + 1.5})
    assert event["status"] == "success"


async def test_a_moved_trigger_polls_at_once_while_others_wait(jobs):
    others = asyncio.create_task(event_of(jobs.started(jobs.endless), poll_interval=60))
    ended = jobs.started(jobs.instant)
    await asyncio.sleep(1)  # the others' tick is over, and the next one is far
    async with asyncio.timeout(20):
        assert (await event_of(ended, poll_interval=60))["status"] == "success"
    others.cancel()


async def test_a_run_that_cannot_be_polled_at_the_deadline_is_not_called_running(jobs):
    jobs.control.add_fault("status", status=503, route="*/runs/*")
    event = await event_of(jobs.started(jobs.endless), end_time=time.time() + 0.3)
    assert event["status"] == "timeout"
    assert "Could not reach job run" in event["message"]
    assert "it may still be running" in event["message"]


async def test_a_run_that_has_ended_by_the_deadline_has_not_timed_out(jobs):
    event = await event_of(jobs.started(jobs.instant), end_time=time.time() - 60)
    assert event["status"] == "success"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "retry_after": 1},
        {"kind": "html"},
        {"kind": "redirect"},
        {"kind": "cut"},
        {"kind": "reset"},
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 401},
    ],
    ids=str,
)
async def test_temporary_faults_are_tolerated(jobs, fault):
    run_id = jobs.started(jobs.quick)
    jobs.control.add_fault(**fault, route="*/runs/*", count=2)
    event = await event_of(run_id, hook_params={"retry_delay": 0.01})
    assert event["status"] == "success"
    assert jobs.control.faults()[0]["hits"] >= 1


async def test_a_run_that_cannot_be_read_right_after_its_start_is_waited_for(jobs):
    jobs.control.add_fault("not_found_after_start", seconds=0.5)
    assert (await event_of(jobs.started(jobs.instant)))["status"] == "success"


async def test_a_refused_token_ends_the_wait_without_calling_the_run_failed(jobs, monkeypatch):
    monkeypatch.setitem(GRACE, Unauthorized, 0.4)
    jobs.control.add_fault("status", status=401)
    run_id = 7
    event = await event_of(run_id)
    assert (event["status"], event["reachable"]) == ("error", False)
    assert "Lost contact with job run 7; it may still be running. dbt Cloud answered 401" in event["message"]
    assert "failed" not in event["message"]


@OF_A_TRIGGERER
async def test_a_connection_that_stays_gone_ends_the_wait_without_calling_the_run_failed(jobs, monkeypatch):
    monkeypatch.setitem(GRACE, ConnectionUnreadable, 0.4)
    event = await event_of(7, conn_id="gone")
    assert (event["status"], event["reachable"]) == ("error", False)
    assert "Airflow does not return connection 'gone'" in event["message"]


@OF_A_TRIGGERER
async def test_a_connection_that_cannot_be_read_for_a_while_is_waited_for(jobs, monkeypatch):
    """Airflow says that a connection is not defined also when its API server does not answer."""
    run_id = jobs.started(jobs.instant)
    there = os.environ[CONNECTION_VARIABLE]
    monkeypatch.delenv(CONNECTION_VARIABLE)
    waiting = asyncio.create_task(event_of(run_id, end_time=time.time() + 60))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    monkeypatch.setenv(CONNECTION_VARIABLE, there)
    assert (await waiting)["status"] == "success"


async def test_a_connection_that_cannot_be_read_is_asked_for_once_in_an_interval():
    reads = []

    class Unreadable(DbtCloudHook):
        async def read_credentials(self):
            reads.append(time.monotonic())
            raise AirflowException("The conn_id is not defined")

    class Waiting(DbtCloudRunJobTrigger):
        def make_hook(self):
            return Unreadable(self.conn_id)

    trigger = Waiting(run_id=7, poll_interval=0.2, end_time=time.time() + 1, owned=True)
    assert (await anext(trigger.run())).payload["status"] == "timeout"
    assert all(later - earlier >= 0.15 for earlier, later in pairwise(reads[:4]))
    assert 2 <= len(reads) <= 8


async def test_status_changes_and_steps_are_logged_once_each(jobs, capfd):
    script = {"queued": 0.3, "running": 1.5, "steps": [{"name": "Invoke dbt with `dbt build`", "seconds": 1}]}
    jobs.control.seed(jobs=[{"id": 71, "name": "Watched", "pretend": script}])
    await event_of(jobs.started(71))
    log = "".join(capfd.readouterr())
    for words in (": Queued.", ": Running.", ", step 1: Invoke dbt with"):
        assert log.count(words) == 1, words


@pytest.mark.parametrize(("count", "looks"), [(3, 3), (51, 0)])
async def test_steps_are_polled_only_while_few_runs_are_watched(jobs, count, looks):
    jobs.control.seed(jobs=[{"id": 72, "name": "One of many", "pretend": {"running": 2}}])
    runs = [jobs.started(72) for _ in range(count)]
    events = await asyncio.gather(*(event_of(run_id, poll_interval=0.5) for run_id in runs))
    assert {event["status"] for event in events} == {"success"}
    assert len([each for each in jobs.asked("GET", "/runs/") if "run_steps" in each["target"]]) == looks


async def test_polls_of_steps_use_the_connections_of_the_status_polls(jobs):
    jobs.control.seed(jobs=[{"id": 72, "name": "One of many", "pretend": {"running": 2}}])
    runs = [jobs.started(72) for _ in range(20)]
    jobs.control.clear_requests()
    await asyncio.gather(*(event_of(run_id, poll_interval=0.5) for run_id in runs))
    assert len([each for each in jobs.asked("GET", "/runs/") if "run_steps" in each["target"]]) == 20
    assert jobs.control.counters()["connections"] <= CONNECTIONS


@pytest.mark.parametrize("limit", ["end_time", "execution_deadline"])
async def test_a_deadline_says_where_the_run_is(jobs, limit):
    run_id = jobs.started(jobs.endless)
    event = await event_of(run_id, **{limit: time.time() + 0.4})
    assert event["message"].endswith(f" See {jobs.run(run_id)['href']}.")


async def test_a_cancelled_trigger_does_not_disturb_the_others(jobs):
    ended, waited_for = jobs.started(jobs.endless), jobs.started(jobs.quick)
    watching = asyncio.create_task(event_of(ended))
    other = asyncio.create_task(event_of(waited_for))
    await event_of(jobs.started(jobs.instant))
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert (await other)["status"] == "success"
    assert jobs.run(ended)["status"] == 3


ODD_ROWS = [
    {"id": None},
    {"id": [1]},
    {"id": True},
    {"id": 10**30},
    {"status": [3]},
    {"status": "10"},
    {"status": float("nan")},
    {"href": 5},
    {"trigger": "scheduled", "run_steps": 5},
]
ODD_BODIES = [b"", b"null", b"{}", b'"ok"', b"<html>", b'{"data":' + b"[" * 1500 + b"]" * 1500 + b"}"]


@pytest.mark.parametrize("odd", [*ODD_ROWS, *ODD_BODIES], ids=lambda odd: repr(odd)[:20])
async def test_one_unreadable_row_or_answer_ends_no_wait(raw_server, monkeypatch, odd):
    def reply(request):
        query = parse_qs(urlsplit(request.target).query)
        if "pk__in" not in query:
            return answer(envelope({"id": 1, "status": 3}))
        polls.append(request)
        rows = [{"id": n, "status": 3 if len(polls) < 4 else 10} for n in json.loads(query["pk__in"][0])]
        if len(polls) == 2:
            if isinstance(odd, bytes):
                return answer(odd)
            rows[0] |= odd
        return answer(envelope(rows, total=len(rows)))

    polls = []
    raw_server.reply = reply
    fields = {"conn_type": "dbt_cloud", "host": raw_server.url, "login": "1", "password": "a-token"}
    monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps(fields))
    end_time = time.time() + 30
    waits = (event_of(run_id, end_time=end_time, poll_interval=0.02, account_id=1) for run_id in (1, 2, 3))
    assert [event["status"] for event in await asyncio.gather(*waits)] == ["success"] * 3

"""Waiting for a run and watching it, through whatever an unreliable network does."""

import math
import time

import pytest

from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.client.transport.time_limit import seconds_left
from dbtcloud.errors import BadRequest, InvalidArgument, RunTimedOut, ServerError
from dbtcloud.resources.client import DbtCloudClient
from dbtcloud.resources.progress.run_progress import poll_schedule
from wires.raw import answer, envelope, refusal, silence

SOON = {"interval": 0.001}


def run(status, *steps):
    """The answer about run 7 with steps, each a pair of its status and its name."""
    rows = [{"index": at, "status": code, "name": f"Step {at}"} for at, code in enumerate(steps, start=1)]
    return answer(envelope({"id": 7, "status": status, "run_steps": rows, "href": "https://x/7/"}))


def seen(runs):
    """Status of each run, and index and status of its current step."""
    return [
        (run.status, *((run.current_step.index, run.current_step.status) if run.steps else ()))
        for run in runs
    ]


@pytest.mark.parametrize("outcome", [10, 20, 30])
def test_a_wait_returns_the_run_whatever_its_outcome(face, raw_server, outcome):
    raw_server.replies(run(1), run(3), run(outcome))
    assert face.ask(raw_server, lambda client: client.runs.wait(7, **SOON)).status == outcome
    assert [each.target for each in raw_server.received] == ["/api/v2/accounts/1/runs/7/"] * 3


FAULTS = [
    *(refusal(status, "x") for status in (500, 429, 401, 403, 404)),
    answer("<html>"),
    answer(envelope({"id": 7, "status": "soon"})),
    answer(envelope({"id": 7, "status": 10}), cut=5),
    None,
]


@pytest.mark.parametrize("method", ["wait", "watch"])
def test_no_fault_that_passes_ends_a_wait(face, raw_server, method):
    """Each comes twice as often as a request is sent again."""
    raw_server.replies(*(fault for fault in FAULTS for _ in range(8)), run(3), run(10))
    ended = face.ask(raw_server, lambda client: getattr(client.runs, method)(7, **SOON))
    assert (ended if method == "wait" else ended[-1]).status == 10
    assert len(raw_server.received) == 8 * len(FAULTS) + 2


def test_a_refusal_that_cannot_pass_ends_a_wait(face, raw_server):
    raw_server.reply = refusal(400, "No.")
    with pytest.raises(BadRequest):
        face.ask(raw_server, lambda client: client.runs.wait(7, **SOON))
    assert len(raw_server.received) == 1


def test_each_change_is_reported_once_with_the_steps(face, raw_server):
    polls = [run(1), run(1), run(3), run(3, 3), run(3, 3, 1), run(3, 10, 3), run(3, 10, 20), run(20, 10, 20)]
    raw_server.replies(*polls)
    reported = []
    ended = face.ask(raw_server, lambda client: client.runs.wait(7, on_progress=reported.append, **SOON))
    changes = [(1,), (3,), (3, 1, 3), (3, 2, 3), (3, 2, 20), (20, 2, 20)]
    assert seen(reported) == changes
    assert reported[-1] is ended
    raw_server.replies(*polls)
    assert seen(face.ask(raw_server, lambda client: client.runs.watch(7, **SOON))) == changes


def test_a_run_that_has_ended_is_reported_once(face, raw_server):
    raw_server.reply = run(10, 10)
    assert seen(face.ask(raw_server, lambda client: client.runs.watch(7))) == [(10, 1, 10)]


def test_steps_that_cannot_be_read_do_not_hide_the_end_of_the_run(face, raw_server):
    """The logs come with the steps: there is a limit to the size of an answer."""
    huge = answer(envelope({"id": 7, "status": 3, "run_steps": [{"index": 1, "logs": "x" * 3000}]}))
    with_steps, without = [run(3, 3)], [run(3), run(10)]

    def reply(request):
        if "run_steps" in request.target:
            return with_steps.pop() if with_steps else huge
        return without.pop(0)

    raw_server.reply = reply
    found = face.ask(
        raw_server,
        lambda client: client.runs.watch(7, **SOON),
        transport=Transport(max_json_mib=0.002),
    )
    assert seen(found) == [(3, 1, 3), (10,)]


@pytest.mark.parametrize("error", [ValueError("mine"), ServerError(503, "GET", "/mine/")])
def test_an_error_of_the_callback_reaches_the_caller(face, raw_server, error):
    """Also one that a failed poll may raise."""
    raw_server.reply = run(3)

    def report(run):
        raise error

    with pytest.raises(type(error)) as raised:
        face.ask(raw_server, lambda client: client.runs.wait(7, on_progress=report, **SOON))
    assert raised.value is error


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        ("wait", run(3)),
        ("watch", run(3)),
        ("wait", refusal(503, "x")),
        ("watch", None),
        ("wait", lambda _: silence()),
    ],
)
def test_a_timeout_ends_a_wait_in_time(face, raw_server, method, reply):
    raw_server.reply = reply
    began = time.monotonic()
    with pytest.raises(RunTimedOut, match=r"after 0\.05 seconds; it may still be running"):
        face.ask(raw_server, lambda client: getattr(client.runs, method)(7, timeout=0.05, interval=0.01))
    assert time.monotonic() - began < 1.05


def test_a_wait_ends_after_a_day_by_itself():
    assert poll_schedule(10, None).timeout == 86_400


def test_a_run_that_has_ended_is_found_even_without_time(face, raw_server):
    raw_server.reply = run(10)
    assert face.ask(raw_server, lambda client: client.runs.wait(7, timeout=0)).is_success


@pytest.mark.parametrize("method", ["wait", "watch"])
def test_an_argument_that_means_nothing_is_named(face, raw_server, method):
    for arguments, message in (
        ({"timeout": -1}, "timeout of -1 is not a number of seconds"),
        ({"timeout": float("nan")}, "timeout of nan"),
        ({"timeout": float("inf")}, "timeout of inf"),
        ({"timeout": 10**400}, "timeout of a text"),
        ({"timeout": "60"}, "timeout of '60'"),
        ({"interval": True}, "interval of True"),
        ({"interval": 0}, "interval between two polls is 0 seconds"),
        ({"run_id": "Nightly"}, "not a valid run id"),
    ):
        given = {"run_id": 7, **arguments}
        with pytest.raises(InvalidArgument, match=message):
            face.ask(raw_server, lambda client, given=given: getattr(client.runs, method)(**given))
    assert raw_server.received == []


def test_a_callback_that_is_to_be_awaited_is_refused(face, raw_server):
    async def report(run):
        pass

    for callback, message in ((report, r"client\.runs\.watch"), ("print", "cannot be called")):
        with pytest.raises(InvalidArgument, match=message):
            face.ask(raw_server, lambda client, callback=callback: client.runs.wait(7, on_progress=callback))


def test_a_watch_can_be_left_at_any_time(raw_server):
    raw_server.reply = run(3)
    with DbtCloudClient("x", 1, raw_server.url) as client:
        assert next(client.runs.watch(7, **SOON)).status == 3
        assert len(raw_server.received) == 1


def test_a_real_script_of_the_local_dbt_cloud_is_watched(face, dbt_cloud):
    steps = [{"name": f"Invoke dbt with `dbt {each}`", "seconds": 0.05} for each in ("seed", "build")]
    script = {"queued": 0.02, "starting": 0.02, "running": 0.1, "steps": steps}
    (run_id,) = dbt_cloud.control.seed(runs=[{"pretend": script}])["runs"]
    found = face.ask(dbt_cloud, lambda client: client.runs.watch(run_id, interval=0.005))
    assert [run.status for run in found if run.finished] == [10]
    assert found[-1].steps[1].dbt_command == "dbt build"
    assert {run.current_step.index for run in found if run.status == 3} <= {1, 2}
    assert len(found) == len(set(seen(found)))


class _Interruption(BaseException):
    """What Ctrl-C or the cancellation of a task is."""


def test_a_wait_that_is_interrupted_leaves_no_time_limit(face, raw_server):
    """Whoever catches it may want to cancel the run, and have time for that."""
    raw_server.reply = run(3)

    def interrupt(event):
        if len(raw_server.received) == 2:
            raise _Interruption

    def interrupted(client):
        if face.name == "awaited":
            return _interrupted_on_a_loop(client)
        try:
            return client.runs.wait(7, timeout=60, **SOON)
        except _Interruption:
            return seconds_left()

    assert face.ask(raw_server, interrupted, on_request=interrupt) == math.inf


async def _interrupted_on_a_loop(client):
    try:
        return await client.runs.wait(7, timeout=60, **SOON)
    except _Interruption:
        return seconds_left()

"""The lines of a run's logs: of a run that has ended, and while it is running."""

import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from dbtcloud.errors import InvalidArgument, LogMissing, NotFound, RunTimedOut
from dbtcloud.resources.client import DbtCloudClient
from wires.raw import answer, envelope, refusal

CLONE = {"index": 1, "name": "Clone git repository", "status": 10}
BUILD = {"index": 2, "name": "Invoke dbt with `dbt build`", "status": 3}
SOON = {"interval": 0.001}


def run(*logs, status=10, finished_at="2020-02-03 04:05:06+00:00", **debug_logs):
    """The answer about run 7: logs of its steps, of which the last one is running with the run."""
    steps = [{**step, "logs": log} for step, log in zip((CLONE, BUILD), logs, strict=False)]
    if steps:
        steps[-1].update(debug_logs, status=status)
    ended = {"finished_at": finished_at} if status >= 10 else {}
    return answer(envelope({"run_steps": steps, "id": 7, "status": status, **ended}))


def lines(face, server, **arguments):
    return face.ask(server, lambda client: client.runs.logs(7, **arguments))


@pytest.mark.parametrize("follow", [False, True])
def test_the_lines_of_all_steps_come_in_order(face, raw_server, follow):
    raw_server.reply = run("Cloning …\r\nDone", "\x1b[0m16:04 Running\n\n  1 of 2 \x1b[32mOK\x1b[0m\x85é😀\n")
    assert lines(face, raw_server, follow=follow) == [
        *("Cloning …", "Done"),
        *("16:04 Running", "", "  1 of 2 OK\x85é😀"),
    ]
    assert len(raw_server.received) == 1
    assert lines(face, raw_server, follow=follow, step=1) == ["Cloning …", "Done"]


@pytest.mark.parametrize("follow", [False, True])
def test_debug_logs_are_asked_for(face, raw_server, follow):
    raw_server.reply = run("Cloning\n", "OK\n", debug_logs="[debug] a\n[debug] b")
    assert lines(face, raw_server, follow=follow, debug=True) == ["Cloning", "[debug] a", "[debug] b"]
    assert "debug_logs" in raw_server.received[-1].target
    raw_server.reply = run("Cloning\n", "OK\n", debug_logs=None)
    assert lines(face, raw_server, follow=follow, debug=True) == ["Cloning", "OK"]


def test_a_run_that_is_still_running_has_the_lines_so_far(face, raw_server):
    raw_server.reply = run("Cloning\n", "1 of 2 OK\n2 of", status=3)
    assert lines(face, raw_server) == ["Cloning", "1 of 2 OK", "2 of"]
    assert len(raw_server.received) == 1


def test_new_lines_are_followed_until_the_run_has_ended(face, raw_server):
    """Nothing comes twice, and no line before it is complete."""
    raw_server.replies(
        refusal(404, "Not yet"),
        run(status=1),
        run("Clo", status=3),
        run("Cloning\nDone", "", status=3),
        run("Cloning\nDone", "1 of 2 é", status=3),
        *[refusal(503, "Down")] * 5,
        answer("<html>"),
        run("Cloning\nDone", "1 of 2 é OK\n2 of", status=3),
        run("Cloning\nDone", "1 of 2 é OK\n2 of 2 ERROR\n3\n", status=3),
        run("Cloning\nDone", "1 of 2 é OK\n2 of 2 ERROR\n3\nDone.", status=20),
    )
    found = lines(face, raw_server, follow=True, **SOON)
    assert found == ["Cloning", "Done", "1 of 2 é OK", "2 of 2 ERROR", "3", "Done."]


def test_a_line_is_yielded_while_the_run_is_running(raw_server):
    raw_server.reply = run("Cloning\nDone", status=3)
    with DbtCloudClient("x", 1, raw_server.url) as client:
        found = client.runs.logs(7, follow=True, **SOON)
        assert next(found) == "Cloning"
        raw_server.reply = run("Cloning\nDone", status=30)
        assert list(found) == ["Done"]


def test_the_debug_log_that_comes_late_is_not_mixed_with_the_usual_one(face, raw_server):
    raw_server.replies(
        run("Cloning\n", "1 OK\n", status=3),
        run("Cloning\n", "1 OK\n", status=3, debug_logs="[debug] 1\n"),
        run("Cloning\n", "1 OK\n2 OK\n3 OK\n", status=3),
        run("Cloning\n", "1 OK\n2 OK\n", debug_logs="[debug] 1\n[debug] 2\n"),
    )
    found = lines(face, raw_server, follow=True, debug=True, **SOON)
    assert found == ["Cloning", "[debug] 1", "[debug] 2"]


def test_lines_that_are_stored_after_the_end_of_the_run_are_not_lost(face, raw_server):
    """The last one may grow, and a reading may fail."""
    now = {"finished_at": datetime.now(UTC).isoformat(" ")}
    raw_server.replies(run("a\n", "b", **now), run("a\n", "bc\nd", **now), run("a\n", "bc\nde\n", **now))
    assert lines(face, raw_server, follow=True, **SOON) == ["a", "bc", "de"]
    assert len(raw_server.received) == 4
    raw_server.replies(run("a\n", "b", finished_at=None), refusal(400, "No."))
    assert lines(face, raw_server, follow=True, **SOON) == ["a", "b"]


def test_a_log_that_grows_without_end_is_read_until_the_timeout(face, raw_server):
    def growing(request):
        log = "".join(f"{number}\n" for number in range(len(raw_server.received)))
        return run(log, finished_at=datetime.now(UTC).isoformat(" "))

    raw_server.reply = growing
    found = lines(face, raw_server, follow=True, timeout=0.05, interval=0.01)
    assert found == [str(number) for number in range(len(raw_server.received))]


def test_a_step_that_has_not_begun_is_waited_for(face, raw_server):
    raw_server.replies(run("Cloning\n", status=3), run("Cloning\n", "OK\n"))
    assert lines(face, raw_server, follow=True, step=2, **SOON) == ["OK"]


@pytest.mark.parametrize("follow", [False, True])
def test_what_is_missing_is_named(face, raw_server, follow):
    raw_server.reply = run("Cloning\n", "OK\n")
    with pytest.raises(InvalidArgument, match=r"has no step 3\. Its steps are 1 \(Clone"):
        lines(face, raw_server, follow=follow, step=3)
    with pytest.raises(InvalidArgument, match="'build' is not a valid step"):
        lines(face, raw_server, follow=follow, step="build")
    raw_server.reply = run("", None, status=20)
    with pytest.raises(LogMissing, match="has no log of step 2"):
        lines(face, raw_server, follow=follow)


def test_a_run_without_steps_has_no_lines(face, raw_server):
    raw_server.reply = run(status=30)
    assert lines(face, raw_server) == lines(face, raw_server, follow=True) == []


def test_there_is_no_such_run(face, dbt_cloud):
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.runs.logs(99))


def test_following_ends_with_its_timeout(face, raw_server):
    raw_server.reply = run("Cloning\n", status=3)
    began = time.monotonic()
    with pytest.raises(RunTimedOut, match="may still be running"):
        lines(face, raw_server, follow=True, timeout=0.05, interval=0.01)
    assert time.monotonic() - began < 1.05


def test_a_long_log_takes_little_memory(face, raw_server):
    """Lines come from a temporary file, about a megabyte at a time."""
    raw_server.replies(run("".join(f"{number:099}\n" for number in range(80_000))), run())
    tracemalloc.start()
    try:
        count, peak = face.ask(raw_server, _counted if face.name == "blocking" else _counted_on_a_loop)
    finally:
        tracemalloc.stop()
    assert count == 80_000
    assert peak < 16_000_000  # the code that is imported meanwhile takes some, too


def _counted(client):
    found, start = client.runs.logs(7), tracemalloc.get_traced_memory()[0]
    next(found)
    client.runs.get(7)  # now the server has forgotten its long answer
    tracemalloc.reset_peak()
    return 1 + sum(1 for _ in found), tracemalloc.get_traced_memory()[1] - start


async def _counted_on_a_loop(client):
    found, start = client.runs.logs(7), tracemalloc.get_traced_memory()[0]
    await anext(found)
    await client.runs.get(7)
    tracemalloc.reset_peak()
    count = 1
    async for _ in found:
        count += 1
    return count, tracemalloc.get_traced_memory()[1] - start

import pytest

from benchmarks.cloud import Cloud
from benchmarks.crash_matrix import CASES, play
from benchmarks.providers import Provider, both
from benchmarks.watching import Plan, watch


@pytest.fixture
def ours() -> Provider:
    return both()[0]


@pytest.mark.parametrize("mode", ["deferred", "worker"])
def test_a_watch_counts_requests_and_knows_how_late_each_end_was_noticed(ours: Provider, mode: str) -> None:
    with Cloud() as cloud:
        seen = watch(ours, cloud, Plan(60, seconds=30, poll=0.5, mode=mode, spread=(2.0, 4.0)))

    assert (seen.failed, seen.unseen, len(seen.lateness)) == (0, 0, 60)
    assert seen.counted["requests"] >= 4
    assert seen.counted["connections"] <= (4 if mode == "deferred" else 60)
    assert 0 <= seen.late(0.5) <= seen.late(0.99) < 20


@pytest.mark.extensive
def test_what_is_never_noticed_is_told_as_unseen(ours: Provider) -> None:
    with Cloud() as cloud:
        cloud.fault(kind="status", status=503)
        seen = watch(ours, cloud, Plan(5, seconds=6, poll=0.5, spread=(1.0, 2.0)))

    assert (seen.failed, seen.unseen) == (0, 5)


@pytest.mark.extensive
def test_a_task_whose_worker_is_killed_makes_one_run_in_two_tries(ours: Provider) -> None:
    [case] = [case for case in CASES if case.name == "worker killed while it waits"]

    outcome = play(ours, case)

    assert (outcome.runs, outcome.tries, outcome.succeeded) == (1, 2, True)

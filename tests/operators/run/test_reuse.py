"""What a try does with the runs of earlier tries."""

import pytest

from airflow_dbt_cloud.operators.run.reuse import ReuseDecision
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import RunStatus

TASK, BUILD, TEST = Marker.digest("task"), f"{Marker.digest('build')[:5]}0", f"{Marker.digest('test')[:5]}0"
UNFINISHED = (RunStatus.QUEUED, RunStatus.STARTING, RunStatus.RUNNING)
ENDED = (RunStatus.ERROR, RunStatus.CANCELLED)


def marker(generation=2, attempt=2, payload=BUILD, task=TASK):
    return Marker(task, generation, attempt, payload)


def run(run_id, status, by=None, retries=None):
    cause = f"Why [af:{by}]" if by else "By hand"
    return Run(run_id, status, cause=cause, data={"id": run_id, "retrying_run_id": retries})


def decided(*runs, present=None, finished=True, unfinished=True, only_start=True):
    newest_first = sorted(runs, key=lambda each: -each.id)
    found = ReuseDecision.of_runs(
        present or marker(),
        newest_first,
        reuse_finished=finished,
        reuse_unfinished=unfinished,
        is_only_start=only_start,
    )
    return found.adopted and found.adopted.id, [each.id for each in found.to_cancel]


@pytest.mark.parametrize("status", UNFINISHED)
def test_the_run_of_an_earlier_try_is_adopted_while_it_is_running(status):
    assert decided(run(1, status, marker(attempt=1))) == (1, [])


def test_the_success_of_an_earlier_try_is_adopted():
    assert decided(run(1, RunStatus.SUCCESS, marker(attempt=1))) == (1, [])


@pytest.mark.parametrize("status", ENDED)
def test_after_a_failure_a_new_run_is_started(status):
    assert decided(run(1, status, marker(attempt=1))) == (None, [])


def test_the_newest_of_several_tries_decides():
    failed, running = run(1, RunStatus.ERROR, marker(attempt=1)), run(2, RunStatus.RUNNING, marker(attempt=2))
    assert decided(failed, running, present=marker(attempt=3)) == (2, [])
    succeeded, failed = (
        run(1, RunStatus.SUCCESS, marker(attempt=1)),
        run(2, RunStatus.ERROR, marker(attempt=2)),
    )
    assert decided(succeeded, failed, present=marker(attempt=3)) == (None, [])


def test_runs_of_the_present_try_are_neither_adopted_nor_cancelled():
    others = [run(n, RunStatus.RUNNING, marker(payload=payload)) for n, payload in enumerate((BUILD, TEST))]
    assert decided(*others, run(3, RunStatus.RUNNING, marker(attempt=1))) == (3, [])


def test_a_task_that_starts_several_runs_adopts_each():
    build, test = (
        run(n, RunStatus.RUNNING, marker(attempt=1, payload=p)) for n, p in ((1, BUILD), (2, TEST))
    )
    assert decided(build, test, only_start=False) == (1, [])
    assert decided(build, test, present=marker(payload=TEST), only_start=False) == (2, [])
    assert decided(build, test, present=marker(generation=4), only_start=False) == (None, [2, 1])


@pytest.mark.parametrize("status", [*UNFINISHED, RunStatus.SUCCESS])
def test_after_a_clear_no_run_is_adopted_and_unfinished_ones_are_cancelled(status):
    earlier = run(1, status, marker(generation=0, attempt=1))
    assert decided(earlier) == (None, [1] if status in UNFINISHED else [])


def test_a_run_with_another_payload_is_cancelled():
    assert decided(run(1, RunStatus.RUNNING, marker(attempt=1, payload=TEST))) == (None, [1])
    assert decided(run(1, RunStatus.SUCCESS, marker(attempt=1, payload=TEST))) == (None, [])


def test_a_success_is_found_behind_a_run_of_the_same_task_with_another_payload():
    build = run(1, RunStatus.SUCCESS, marker(attempt=1, payload=BUILD))
    test = run(2, RunStatus.ERROR, marker(attempt=1, payload=TEST))
    assert decided(build, test) == (1, [])
    assert decided(build, test, present=marker(payload=TEST)) == (None, [])


def test_two_equal_starts_in_one_try_are_two_runs():
    first = run(1, RunStatus.SUCCESS, marker(attempt=1, payload=f"{BUILD[:5]}0"))
    second = run(2, RunStatus.RUNNING, marker(attempt=1, payload=f"{BUILD[:5]}1"))
    assert decided(first, second, present=marker(payload=f"{BUILD[:5]}0"), only_start=False) == (1, [])
    assert decided(first, second, present=marker(payload=f"{BUILD[:5]}1"), only_start=False) == (2, [])


def test_of_two_unfinished_runs_the_newer_is_adopted_and_the_older_cancelled():
    older, newer = (run(n, RunStatus.RUNNING, marker(attempt=n)) for n in (1, 2))
    assert decided(older, newer, present=marker(attempt=3)) == (2, [1])


@pytest.mark.parametrize("by", [None, marker(task=Marker.digest("another"))])
def test_runs_of_others_are_neither_adopted_nor_cancelled(by):
    assert decided(run(1, RunStatus.RUNNING, by), run(2, RunStatus.SUCCESS, by)) == (None, [])


def test_a_retry_from_failure_counts_as_started_by_the_task_of_the_run_that_it_retries():
    failed = run(1, RunStatus.ERROR, marker(attempt=1))
    assert decided(failed, run(2, RunStatus.RUNNING, retries=1), present=marker(attempt=3)) == (2, [])
    assert decided(failed, run(2, RunStatus.ERROR, retries=1), run(3, RunStatus.SUCCESS, retries=2)) == (
        3,
        [],
    )
    assert decided(run(2, RunStatus.RUNNING, retries=1)) == (None, [])


def test_without_reuse_of_finished_runs_a_new_run_is_started():
    assert decided(run(1, RunStatus.SUCCESS, marker(attempt=1)), finished=False) == (None, [])
    assert decided(run(1, RunStatus.RUNNING, marker(attempt=1)), finished=False) == (1, [])


def test_without_reuse_unfinished_runs_are_cancelled():
    assert decided(run(1, RunStatus.RUNNING, marker(attempt=1)), finished=False, unfinished=False) == (
        None,
        [1],
    )


def failed(*runs, present=None):
    newest_first = sorted(runs, key=lambda each: -each.id)
    found = ReuseDecision.of_runs(
        present or marker(), newest_first, reuse_finished=True, reuse_unfinished=True
    ).failed
    return found and found.id


FIRST = run(1, RunStatus.ERROR, marker(attempt=1))


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([FIRST], 1),
        ([FIRST, run(2, RunStatus.ERROR, retries=1)], 2),
        ([FIRST, run(2, RunStatus.CANCELLED, retries=1)], None),
        ([FIRST, run(2, RunStatus.ERROR)], 1),
        ([run(1, RunStatus.CANCELLED, marker(attempt=1))], None),
        ([run(1, RunStatus.ERROR, marker(generation=1, attempt=1))], 1),
        ([run(1, RunStatus.ERROR, marker(attempt=1, payload=TEST))], None),
        ([run(1, RunStatus.ERROR)], None),
        ([], None),
    ],
)
def test_a_retry_from_failure_continues_the_newest_equal_run_that_failed(runs, expected):
    assert failed(*runs) == expected

"""Items are handled in threads, and their results come in the order of the items."""

import signal
import sys
import threading
import traceback

import pytest

from airflow_dbt_cloud.hooks.parallel.thread_map import map_in_threads

THREADS = 10


def test_results_come_in_the_order_of_the_items():
    together, left = threading.Barrier(THREADS), []

    def work(item):
        together.wait(timeout=30)
        return -item

    items = range(THREADS * 2)
    results = map_in_threads(work, items, threads=THREADS, leave=lambda: left.append(1))
    assert list(results) == [-item for item in items]
    assert len(left) == THREADS


def test_a_single_item_is_handled_in_this_thread():
    here = threading.current_thread()
    assert list(map_in_threads(lambda _: threading.current_thread(), [1], threads=THREADS)) == [here]
    assert list(map_in_threads(lambda item: item, [], threads=THREADS)) == []


def test_the_first_error_is_raised_and_the_other_threads_are_stopped():
    stopped, done = threading.Event(), []

    def work(item):
        if item == 3:
            raise ValueError(item)
        stopped.wait(timeout=30)
        done.append(item)
        raise KeyError(item)

    with pytest.raises(ValueError, match="3"):
        list(map_in_threads(work, range(1000), threads=THREADS, stop=stopped.set))
    assert len(done) < THREADS


def test_an_interruption_of_the_wait_stops_the_threads():
    stopped, left = threading.Event(), []
    main, together = threading.main_thread().ident, threading.Barrier(4)

    def is_waiting():
        names = [frame.name for frame in traceback.extract_stack(sys._current_frames()[main])]
        return "map_in_threads" in names and "submit" not in names

    def work(item):
        together.wait(timeout=30)
        if item == 0:
            while not is_waiting():
                continue
            # Python overlooks a signal that arrives just before the main thread begins to wait for a lock.
            while not stopped.wait(timeout=0.2):
                signal.pthread_kill(main, signal.SIGINT)
        stopped.wait(timeout=30)

    with pytest.raises(KeyboardInterrupt):
        list(map_in_threads(work, range(4), threads=4, stop=stopped.set, leave=lambda: left.append(1)))
    assert len(left) == 4


def test_only_a_few_items_are_handled_ahead_of_the_reader():
    handled = []
    results = map_in_threads(lambda item: handled.append(item) or item, range(30), threads=5)
    for _ in range(3):
        next(results)
    assert len(handled) <= 3 + 2 * 5
    assert list(results) == list(range(3, 30))


def test_a_reader_that_stops_early_leaves_no_thread():
    results = map_in_threads(lambda item: item, range(1000), threads=5)
    assert next(results) == 0
    results.close()
    assert not [thread for thread in threading.enumerate() if "dbt Cloud hook" in thread.name]

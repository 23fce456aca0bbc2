"""Things are done at once, in order of their names only when they are handed back."""

import signal
import sys
import threading
import traceback

import pytest

from airflow_dbt_cloud.hooks.downloads.parallel import WIDTH, each


def test_what_is_made_comes_back_in_the_order_of_the_items():
    together, left = threading.Barrier(WIDTH), []

    def do(item):
        together.wait(timeout=30)
        return -item

    assert each(do, range(WIDTH * 2), stop=bool, leave=lambda: left.append(1)) == [
        -n for n in range(WIDTH * 2)
    ]
    assert len(left) == WIDTH


def test_one_thing_is_done_in_this_thread():
    assert each(lambda _: threading.current_thread(), [1], stop=bool, leave=bool) == [
        threading.current_thread()
    ]
    assert each(lambda item: item, [], stop=bool, leave=bool) == []


def test_the_first_error_is_raised_and_the_others_are_told_to_stop():
    stopped, done = threading.Event(), []

    def do(item):
        if item == 3:
            raise ValueError(item)
        stopped.wait(timeout=30)
        done.append(item)
        raise KeyError(item)

    with pytest.raises(ValueError, match="3"):
        each(do, range(1000), stop=stopped.set, leave=bool)
    assert len(done) < WIDTH


def test_an_interruption_of_the_wait_tells_the_threads_to_stop():
    stopped, left = threading.Event(), []
    main, together = threading.main_thread().ident, threading.Barrier(4)

    def is_waiting():
        names = [frame.name for frame in traceback.extract_stack(sys._current_frames()[main])]
        return "each" in names and "submit" not in names

    def do(item):
        together.wait(timeout=30)
        if item == 0:
            while not is_waiting():
                continue
            signal.pthread_kill(main, signal.SIGINT)
        stopped.wait(timeout=30)

    with pytest.raises(KeyboardInterrupt):
        each(do, range(4), stop=stopped.set, leave=lambda: left.append(1))
    assert len(left) == 4

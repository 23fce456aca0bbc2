"""The bar of a run, on a real pseudo-terminal."""

import io
import logging
import os
import pty
import re
import sys
import threading
from contextlib import suppress

import pytest

from dbtcloud.client.models import Run
from dbtcloud.resources.progress.progress_bar import progress_bar

STEP = {"index": 4, "name": "Invoke dbt with `dbt build`", "status": 3}
RUNNING = Run.parse({"id": 7, "status": 3, "run_steps": [STEP]})


class Terminal:
    """A pseudo-terminal: what is written to it, and what remains on its screen."""

    def __init__(self):
        self.master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w", buffering=1)

    def written(self):
        """All that was written, once the stream has been closed."""
        self.stream.close()
        parts = []
        while True:
            try:
                part = os.read(self.master, 65536)
            except OSError:  # Linux says so at the end
                part = b""
            if not part:
                os.close(self.master)
                return b"".join(parts).decode()
            parts.append(part)


def screen(written):
    """The lines that remain, for the few control sequences that a bar uses."""
    lines, row, column = [""], 0, 0
    for control, text in re.findall(r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n])|([^\x1b\r\n]+)", written):
        if control == "\r":
            column = 0
        elif control == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif control.endswith("A"):
            row -= int(control[2:-1] or 1)
        elif control == "\x1b[2K":
            lines[row] = ""
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return [line for line in lines if line]


@pytest.fixture
def open_terminal(monkeypatch):
    """Makes a terminal that is stderr; a test calls it, because pytest sets stderr again before each test."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    def make():
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        return terminal

    return make


def test_the_bar_shows_status_and_step_and_leaves_no_line(open_terminal):
    terminal = open_terminal()
    with progress_bar() as show:
        show(RUNNING)
    written = terminal.written()
    assert "Run 7: Running, step 4: dbt build " in written
    assert screen(written) == []


def test_what_the_program_prints_stays_above_the_bar(open_terminal):
    terminal = open_terminal()
    with progress_bar() as show:
        show(RUNNING)
        sys.stderr.write("still here\n")
        show(RUNNING)
    assert [line.strip() for line in screen(terminal.written())] == ["still here"]


def test_what_is_logged_stays_above_the_bar(open_terminal):
    terminal = open_terminal()
    handler = logging.StreamHandler()
    logging.root.addHandler(handler)
    try:
        with progress_bar() as show:
            show(RUNNING)
            logging.getLogger("dbtcloud").warning("Polling again")
        assert handler.stream is terminal.stream
    finally:
        logging.root.removeHandler(handler)
    assert [line.strip() for line in screen(terminal.written())] == ["Polling again"]


def test_what_goes_to_a_file_on_stdout_still_goes_there(open_terminal, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with progress_bar() as show:
        show(RUNNING)
        sys.stdout.write("a row\n")
    assert sys.stdout.getvalue() == "a row\n"
    assert "a row" not in terminal.written()


def test_the_bar_goes_when_the_block_fails(open_terminal):
    terminal = open_terminal()
    with suppress(KeyboardInterrupt), progress_bar() as show:
        show(RUNNING)
        raise KeyboardInterrupt
    assert screen(terminal.written()) == []


def test_a_name_moves_no_cursor_and_is_no_markup(open_terminal):
    terminal = open_terminal()
    step = {"index": 1, "name": "dbt [bold]run[/nope] \x1b[5A\nnext", "status": 3}
    with progress_bar() as show:
        show(Run.parse({"id": 7, "status": 3, "run_steps": [step]}))
    written = terminal.written()
    assert "step 1: dbt [bold]run[/nope]" in written
    assert "\x1b[5A" not in written


def test_two_runs_at_a_time_have_one_bar(open_terminal):
    terminal, others = open_terminal(), []
    with progress_bar() as first:
        first(RUNNING)

        def other():
            with progress_bar() as second:
                others.append(second)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    written = terminal.written()
    assert "Run 7" in written
    assert others == [None]


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_nothing_is_shown_elsewhere(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar() as show:
        assert show is None
    assert stream is None or stream.getvalue() == ""


def test_no_error_of_the_bar_reaches_the_run(open_terminal):
    terminal = open_terminal()
    terminal.stream.close()
    with progress_bar() as show:
        assert show is None
    os.close(terminal.master)


def test_the_terminal_may_go_away_meanwhile(open_terminal):
    terminal = open_terminal()
    with progress_bar() as show:
        show(RUNNING)
        os.close(terminal.master)
        show(RUNNING)


def test_the_next_run_has_a_bar_again(open_terminal):
    terminal = open_terminal()
    for _ in range(2):
        with progress_bar() as show:
            show(RUNNING)
    assert terminal.written().count("\x1b[?25h") == 2

"""Processes that a killed server left running."""

import json
import subprocess
import sys

import psutil
import pytest

from dbtcloud.core.leftover_processes import ProcessFolder, ProcessRecord

SLEEPER = (
    "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"
)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert process.stdout.readline() == "up\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_process_has_a_record_while_it_runs(tmp_path, sleeper):
    with ProcessFolder(tmp_path).record(sleeper.pid):
        (note,) = tmp_path.glob("*.json")
        assert json.loads(note.read_text())["pid"] == sleeper.pid
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_process_is_ended_with_its_group(tmp_path, sleeper):
    (child,) = psutil.Process(sleeper.pid).children()
    recorded = ProcessRecord.of_pid(sleeper.pid)
    (tmp_path / "left.json").write_text(json.dumps({"pid": recorded.pid, "started": recorded.started}))
    assert ProcessFolder(tmp_path).end_processes() == [sleeper.pid]
    sleeper.wait(10)
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert list(tmp_path.iterdir()) == []


def test_another_process_with_the_same_id_is_not_ended(tmp_path, sleeper):
    started = psutil.Process(sleeper.pid).create_time() - 60
    (tmp_path / "left.json").write_text(json.dumps({"pid": sleeper.pid, "started": started}))
    assert ProcessFolder(tmp_path).end_processes() == []
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', '{"pid": 2147483646, "started": 1}'])
def test_an_invalid_record_is_deleted(tmp_path, text):
    (tmp_path / "left.json").write_text(text)
    assert ProcessFolder(tmp_path).end_processes() == []
    assert list(tmp_path.iterdir()) == []

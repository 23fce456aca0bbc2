import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from dbtcloud.core import process
from served import wait_for


def script(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", text]


async def run(text: str, tmp_path: Path, **options) -> tuple[int, str]:
    pieces: list[str] = []
    code = await process.run_process(
        script(text), cwd=tmp_path, env=process.minimal_environment({}), output=pieces.append, **options
    )
    return code, "".join(pieces)


def gone(pid: int) -> bool:
    """Whether a process has ended, if need be without having been waited for by whoever inherited it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_output_and_exit_code_are_those_of_the_process(tmp_path):
    code, text = await run(
        "import sys; print('flour'); print('water', file=sys.stderr); sys.exit(3)", tmp_path
    )

    assert code == 3
    assert text == "flour\nwater\n"


async def test_output_arrives_while_the_process_runs(tmp_path):
    stop = asyncio.Event()
    seen: list[str] = []

    def output(text: str) -> None:
        seen.append(text)
        stop.set()

    code = await process.run_process(
        script("import time; print('first', flush=True); time.sleep(60)"),
        cwd=tmp_path,
        env=process.minimal_environment({}),
        output=output,
        stop=stop,
    )

    assert seen[0] == "first\n"
    assert code != 0


async def test_a_character_that_is_split_between_two_reads_stays_whole(tmp_path):
    _, text = await run("import sys; sys.stdout.buffer.write('ü'.encode() * 100_001)", tmp_path)

    assert text == "ü" * 100_001


async def test_invalid_utf_8_does_not_end_the_process(tmp_path):
    code, text = await run(r"import sys; sys.stdout.buffer.write(b'a\xff\n')", tmp_path)

    assert (code, text) == (0, "a\ufffd\n")


async def test_the_process_leads_a_group_of_its_own(tmp_path):
    _, text = await run("import os; print(os.getpgid(0) == os.getpid())", tmp_path)

    assert text == "True\n"


async def test_the_process_has_no_standard_input(tmp_path):
    assert await run("import sys; print(repr(sys.stdin.read()))", tmp_path) == (0, "''\n")


async def stopped_after(word: str, text: str, tmp_path: Path, grace: float, **options) -> tuple[int, str]:
    stop, pieces = asyncio.Event(), []

    def output(piece: str) -> None:
        pieces.append(piece)
        if word in "".join(pieces):
            stop.set()

    env = process.minimal_environment({})
    code = await process.run_process(
        script(text), cwd=tmp_path, env=env, output=output, stop=stop, grace=grace, **options
    )
    return code, "".join(pieces)


async def test_a_stop_interrupts_the_process_so_that_it_can_clean_up(tmp_path):
    text = (
        "import time\n"
        "try:\n  print('busy'); time.sleep(60)\n"
        "except KeyboardInterrupt:\n  print('tidied up'); raise SystemExit(2)\n"
    )

    assert await stopped_after("busy", text, tmp_path, 30) == (2, "busy\ntidied up\n")


async def test_an_ignored_interrupt_is_repeated(tmp_path):
    text = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, signal.default_int_handler))\n"
        "try:\n  print('busy'); time.sleep(1000)\n"
        "except KeyboardInterrupt:\n  print('tidied up'); raise SystemExit(2)\n"
    )

    assert await stopped_after("busy", text, tmp_path, 1000, repeat_after=0.1) == (2, "busy\ntidied up\n")


async def test_a_process_that_ignores_interrupts_is_terminated(tmp_path):
    text = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('busy'); time.sleep(60)"

    assert await stopped_after("busy", text, tmp_path, 0.2) == (-15, "busy\n")


async def test_a_process_that_has_written_its_final_file_is_terminated_soon(tmp_path):
    kept = tmp_path / "kept"
    text = (
        "import time\n"
        "try:\n  print('busy'); time.sleep(60)\n"
        f"except KeyboardInterrupt:\n  open({str(kept)!r}, 'w').write('crumbs'); time.sleep(1000)\n"
    )
    ended = await stopped_after("busy", text, tmp_path, 1000, final_file=kept, final_file_grace=0.1)

    assert ended == (-15, "busy\n")
    assert kept.read_text() == "crumbs"


async def test_a_process_that_ignores_all_signals_is_killed(tmp_path):
    text = (
        "import signal, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
        "print('busy'); time.sleep(60)"
    )

    assert await stopped_after("busy", text, tmp_path, 0.2) == (-9, "busy\n")


async def test_the_children_of_the_process_are_stopped_too(tmp_path):
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('child', child.pid); time.sleep(60)\n"
    )
    _, said = await stopped_after("child", text, tmp_path, 30)

    wait_for(lambda: gone(int(said.split()[1])))  # its end of the pipe closes shortly before it has ended


async def test_a_stop_before_the_start_ends_the_process(tmp_path):
    stop = asyncio.Event()
    stop.set()
    code, _ = await run("import time; time.sleep(60)", tmp_path, stop=stop)

    assert code != 0


async def test_the_process_ends_when_the_waiting_task_is_cancelled(tmp_path):
    said = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        process.run_process(
            script("import os, time; print(os.getpid(), flush=True); time.sleep(60)"),
            cwd=tmp_path,
            env=process.minimal_environment({}),
            output=said.set_result,
        )
    )
    pid = int(await said)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert gone(pid)


async def test_a_missing_program_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        await process.run_process(["/nonexistent/dbt"], cwd=tmp_path, env={}, output=print)


def test_airflows_secrets_do_not_reach_the_process(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    monkeypatch.setenv("AIRFLOW_CONN_DBT_CLOUD_DEFAULT", "secret")
    monkeypatch.setenv("DBT_CLOUD_TOKEN", "secret")
    for name in ("DBT_TOKEN", "DBT_API_KEY", "DBT_PAT", "DBT_CLOUD_API_KEY", "DBT_SERVICE_TOKEN"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DBT_ENV_CUSTOM_ENV_TEAM", "bread")
    monkeypatch.setenv("DBT_OVEN_HOST", "oven.example.com")
    monkeypatch.setenv("DBT_PATH", "kept")
    monkeypatch.setenv("PGPASSWORD", "asked for")

    seen = process.minimal_environment({"DBT_PROFILE": "local"}, ["PGPASSWORD"])

    assert "secret" not in seen.values()
    assert seen["DBT_OVEN_HOST"] == "oven.example.com"
    assert seen["PGPASSWORD"] == "asked for"
    assert seen["DBT_PATH"] == "kept"
    assert seen["DBT_ENV_CUSTOM_ENV_TEAM"] == "bread"
    assert seen["DBT_PROFILE"] == "local"
    assert seen["DO_NOT_TRACK"] == "1"
    assert seen["PATH"] == os.environ["PATH"]

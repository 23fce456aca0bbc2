"""Serving in the foreground."""

import os
import signal
import subprocess
import sys

import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud

PROGRAM = """
import asyncio
from dbtcloud.local.server.serve import RunningServer
from dbtcloud.local.server.settings import ServerSettings
settings = ServerSettings(token="t")
asyncio.run(RunningServer.serve_forever(settings, lambda served: print(served.url, flush=True)))
"""


def test_a_server_runs_until_a_signal_and_then_exits_with_0():
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
        try:
            url = process.stdout.readline().strip()
            assert requests.get(f"{url}/_local/health", timeout=5).status_code == 200
            os.kill(process.pid, number)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def test_folders_and_files_in_an_existing_data_folder_are_private(tmp_path):
    tmp_path.chmod(0o755)
    store = tmp_path / "dbt_cloud.sqlite"
    for folder in ("runs", "environments"):
        (tmp_path / folder).mkdir(mode=0o755)  # as an earlier version has left it
    with LocalDbtCloud(data_dir=tmp_path, store=store) as server:
        store.chmod(0o644)
        for _ in range(2):
            readable = {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077}
            assert readable <= {store.name}
            server.control.reset()
    with LocalDbtCloud(data_dir=tmp_path, store=store):
        assert [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []

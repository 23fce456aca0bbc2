"""Serving in the foreground."""

import os
import signal
import subprocess
import sys

import requests

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

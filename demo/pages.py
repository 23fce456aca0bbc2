"""Airflow's web pages and the local dbt Cloud, both running until Ctrl-C."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests
from airflow_home import DAG_ID, AirflowHome
from output import print_heading

from dbtcloud.local.server.in_thread import LocalDbtCloud

_USER = "admin"
_START_SECONDS = 180.0


def serve_pages(home: AirflowHome, cloud: LocalDbtCloud) -> int:
    """Start `airflow standalone`, print all addresses, and stop it on Ctrl-C."""
    password, port = secrets.token_urlsafe(9), _port()
    url = f"http://127.0.0.1:{port}"
    log = home.folder / "standalone.log"
    print_heading(f"Airflow's web pages: starting, with their log in {log}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = _start(home, port, password, log)
    try:
        _wait(process, url)
        _print_addresses(url, password, cloud)
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(process)


def _start(home: AirflowHome, port: int, password: str, log: Path) -> "subprocess.Popen[bytes]":
    passwords = home.folder / "passwords.json"
    passwords.write_text(json.dumps({_USER: password}))
    environment = home.environment(
        AIRFLOW__API__HOST="127.0.0.1",
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__API__BASE_URL=f"http://127.0.0.1:{port}",
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{port}/execution/",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=f"{_USER}:admin",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE=str(passwords),
    )
    with log.open("wb") as output:
        return subprocess.Popen(
            home.command("standalone"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("airflow standalone did not start. Its log says why.")
        time.sleep(0.5)


def _healthy(url: str) -> bool:
    try:
        parts = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json().values()
    except (requests.RequestException, ValueError):
        return False
    return all(part["status"] == "healthy" for part in parts)


def _print_addresses(url: str, password: str, cloud: LocalDbtCloud) -> None:
    print_heading("Ready. Ctrl-C stops everything")
    print(f"    Airflow    {url}/dags/{DAG_ID}   user {_USER}, password {password}")
    print(f"    dbt Cloud  {cloud.url}   account {cloud.account_id}, token {cloud.token}")
    print(f"    Its pages  {cloud.control.page_link()}   opens them in one browser, once", flush=True)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop standalone and all processes that it started: they survive a signal to standalone alone."""
    for number, grace in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        _wait_for_group(process, grace)
    process.wait()


def _wait_for_group(process: "subprocess.Popen[bytes]", grace: float) -> None:
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        process.poll()
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)


def _port() -> int:
    """Return Airflow's usual port, or a free one if that is in use."""
    for wanted in (8080, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise SystemExit("No port is free on 127.0.0.1.")
